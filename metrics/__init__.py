"""Instruments that read a face, metrics that are pure functions of what they read, and their statistics.

`evaluate` scores the readings of one model (`Sides`); `METRICS` lists what there is; `cluster_interval` and
`paired_difference` are the statistics behind. These need numpy and scipy alone. The instruments (metrics.instruments)
are networks in torch, ONNX and dlib, and are imported only where something is read.
"""

import smoothswap.plumbing.first  # noqa: F401
from metrics.evaluation import FrameValue, MissingPolicy, Summary, Value, applicable, evaluate, frame_values
from metrics.registry import METRICS
from metrics.sides import READINGS, MetricError, Sides
from metrics.spec import Metric
from metrics.statistics.intervals import Difference, cluster_interval, paired_difference

__all__ = [
    "METRICS",
    "READINGS",
    "Difference",
    "FrameValue",
    "Metric",
    "MetricError",
    "MissingPolicy",
    "Sides",
    "Summary",
    "Value",
    "applicable",
    "cluster_interval",
    "evaluate",
    "frame_values",
    "paired_difference",
]
