"""Instruments by name: "dlib", "arcface:PATH", "arcface:PATH?scale=128&colour=bgr", ...

Modules are imported only when their instrument is made, so that none needs the dependencies of another. A package adds
instruments with an entry point in the group `smoothswap.instruments`, whose value `module:object` is an Available:

    [project.entry-points."smoothswap.instruments"]
    adaface = "adaface_instrument:ADAFACE"
"""

from metrics.instruments.base import Available, Crop, Instrument, InstrumentError
from metrics.instruments.registry import available, create

__all__ = ["Available", "Crop", "Instrument", "InstrumentError", "available", "create"]
