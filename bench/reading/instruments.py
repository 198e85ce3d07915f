"""Every instrument a run can name: those of `metrics` and of installed packages, and embedders of our own."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from metrics.instruments import Available, Instrument, registry

OURS = (metadata.EntryPoint("embedder", "bench.reading.embedder:EMBEDDER", registry.GROUP),)


def available() -> list[Available]:
    """Every instrument of this installation, with what it reads and needs."""
    return registry.available(OURS)


def create(spec: str, *, single: bool = False, **options: Any) -> Instrument:
    """The instrument that `spec` names, as metrics.instruments.create; an embedder of ours can be named too.

    Args:
        spec: NAME, NAME:PATH or either with ?option=value&option=value.
        single: Keep it to one thread and one process, for callers that use every core themselves.
        options: Of the instrument; they win over those in `spec`.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For an unknown name (with the nearest one), a missing path, an unknown option, or
            weights that cannot be used.
    """
    return registry.create(spec, single=single, more=OURS, **options)


def describe(instrument: Instrument) -> dict[str, Any]:
    """What a result says of an instrument (reports.results.InstrumentInfo)."""
    return {
        "name": instrument.name,
        "weights_sha256": instrument.weights_sha256,
        "licence": instrument.licence,
        "crop": {"template": instrument.crop.template, "size": instrument.crop.size},
        "reads": list(instrument.reads),
        "parameters": instrument.parameters,
        "description": instrument.description,
        "family": instrument.family,
        **({"kin": list(kin)} if (kin := getattr(instrument, "kin", ())) else {}),
    }
