"""Every metric by its key in results.json: ours and those of installed packages, found through one door.

A package adds metrics with an entry point in the group `smoothswap.metrics`, whose value `module:object` is a Metric or
PictureMetric, or an iterable of them:

    [project.entry-points."smoothswap.metrics"]
    glow = "glow_metrics:METRICS"

They are looked for when a registry is first read, not when this module is imported, so that a package may import
`metrics` while it is loaded and one that is broken harms no command that scores nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from typing import Any, Generic, TypeVar

from metrics import plugins
from metrics.sides import MetricError
from metrics.spec import Declared, EmbedderMetric, Metric, PictureMetric

GROUP = "smoothswap.metrics"

# Ours are entry points too, read by the same code, but stand here rather than in pyproject.toml: a checkout then never
# depends on what was installed when, and the torch-free `reports` can read ours without loading anybody's package.
OURS = tuple(
    metadata.EntryPoint(module.rpartition(".")[2], f"{module}:METRICS", GROUP)
    for module in (
        "metrics.frames.retrieval",
        "metrics.frames.table_1",
        "metrics.frames.readings",
        "metrics.frames.leaving",
        "metrics.frames.temporal",
        "metrics.frames.outside",
        "metrics.frames.truth",
        "metrics.pictures.distances",
        "metrics.embedders.verification",
        "metrics.embedders.smoothness",
        "metrics.embedders.interpolation",
        "metrics.embedders.space",
        "metrics.embedders.probe",
        "metrics.embedders.paths",
    )
)

_M = TypeVar("_M", bound=Declared)


class RegistryError(MetricError):
    """An installed package whose metrics cannot be used: which, why, and how to mend it."""


@cache
def ours() -> Mapping[str, Declared]:
    """The metrics of this package alone, in the report's order."""
    return _collected(OURS)


@cache
def everything() -> Mapping[str, Declared]:
    """All metrics, those of installed packages too, in the report's order.

    Returns:
        Specs by key, by group and order.

    Raises:
        RegistryError: For a package whose entry point cannot be loaded or holds anything else than metrics, and for
            a key that is taken.
    """
    return _collected((*OURS, *metadata.entry_points(group=GROUP)))


class Registry(Mapping[str, _M], Generic[_M]):
    """The metrics of one kind by key, in the report's order.

    Args:
        kind: The class of their specs.
    """

    def __init__(self, kind: type[_M]) -> None:
        self._kind = kind

    def _specs(self) -> dict[str, _M]:
        return {key: spec for key, spec in everything().items() if isinstance(spec, self._kind)}

    def __getitem__(self, key: str) -> _M:
        spec = everything()[key]
        if not isinstance(spec, self._kind):
            raise KeyError(key)
        return spec

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs())

    def __len__(self) -> int:
        return len(self._specs())


METRICS = Registry(Metric)
"""Metrics of swapped frames."""
PICTURES = Registry(PictureMetric)
"""Distances between sets of pictures."""
EMBEDDERS = Registry(EmbedderMetric)
"""Figures of embedders."""


def get(key: str) -> Metric:
    """The metric of frames with that key.

    Args:
        key: Its name in results.json.

    Returns:
        Its spec.

    Raises:
        MetricError: For an unknown key, with the nearest known one.

    >>> get("pose").unit
    'rad'
    """
    if key in METRICS:
        return METRICS[key]
    near = difflib.get_close_matches(key, METRICS, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(METRICS)}"
    raise MetricError(f"unknown metric {key!r}; {hint}")


def _collected(entries: Iterable[metadata.EntryPoint]) -> dict[str, Declared]:
    specs: dict[str, Declared] = {}
    owners: dict[str, str] = {}
    for entry in entries:
        owner = plugins.owner(entry)
        for spec in _loaded(entry, owner):
            if spec.key in specs:
                raise RegistryError(
                    f"{owner} declares the metric {spec.key!r}, which {owners[spec.key]} has declared already; "
                    "give it another key, or uninstall one of the two"
                )
            specs[spec.key], owners[spec.key] = spec, owner
    first: dict[str, int] = {}
    for spec in specs.values():
        first[spec.group] = min(spec.order, first.get(spec.group, spec.order))
    groups = {name: place for place, name in enumerate(sorted(first, key=lambda name: first[name]))}
    return dict(sorted(specs.items(), key=lambda item: (groups[item[1].group], item[1].order)))


def _loaded(entry: metadata.EntryPoint, owner: str) -> list[Declared]:
    mend = f"mend it or uninstall it ({GROUP} expects module:object)"
    try:
        value: Any = entry.load()
        specs = [value] if isinstance(value, Declared) else list(value)
    except Exception as error:  # a plug-in may fail in any way; what failed and whose it is must be said
        raise RegistryError(f"{owner} cannot be loaded: {type(error).__name__}: {error}; {mend}") from error
    kinds = (Metric, PictureMetric) if entry.dist else (Metric, PictureMetric, EmbedderMetric)
    for spec in specs:
        if not isinstance(spec, kinds):
            found = type(spec).__name__
            raise RegistryError(
                f"{owner} holds a {found}, where {' or '.join(kind.__name__ for kind in kinds)} of metrics.spec is "
                f"expected; {mend}"
            )
    return specs
