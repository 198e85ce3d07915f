"""Metrics of a model from the values of its frames alone, where its readings were not kept (bench.rescore)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.errors import DataError
from bench.ffpp import modes
from bench.ffpp.protocol import Protocol
from bench.ffpp.scores import Scores, beside, searched
from metrics import METRICS
from metrics.evaluation import summarise
from reports.results import MetricValue, Results


def value_scores(results: Results, table: pa.Table, protocol: Protocol) -> Scores:
    """Means and intervals of the metrics whose values a table of frames holds.

    Args:
        results: Of the model as they were: which metrics there are, by which instrument, over what gallery.
        table: Its frames, with columns metric/KEY and missing/KEY.
        protocol: How means and intervals are made.

    Returns:
        The metrics anew, with the values of each frame; metrics without values in the table are left out.

    Raises:
        DataError: A metric's version is another now, so that its values mean something else.
    """
    posed = np.array(table["posed"].to_pylist(), dtype=bool)
    clusters = np.array(table["cluster"].to_pylist(), dtype=str)[posed]
    scores = Scores({}, {}, {})
    for key, old in results.metrics.items():
        spec = METRICS.get(key.partition("@")[0])
        if spec is None or f"metric/{key}" not in table.column_names:
            continue
        if spec.version != old.version:
            raise DataError(
                f"{key} is version {spec.version} now, the values of {results.run.model.name} are of "
                f"{old.version}, and its readings are not stored: score the model anew"
            )
        values, missing = _numbers(table, f"metric/{key}"), _numbers(table, f"missing/{key}")
        scores.per_frame[key], scores.missing[key] = values, missing
        value = summarise(
            spec,
            values[posed],
            np.where(np.isnan(values), missing, values)[posed],
            clusters,
            instrument=old.instrument,
            lost=old.missing or 0,
            missing=protocol.missing,
            seed=protocol.seed,
        )
        scores.metrics[key] = modes.stated(key, MetricValue.model_validate(value.as_dict()), protocol.mode)
        if f"without_source/{key}" in table.column_names and old.without_source is not None:
            scores.without[key] = _numbers(table, f"without_source/{key}")
            scores.without_missing[key] = _numbers(table, f"without_source_missing/{key}")
            own, lost = (
                np.fmax(*both)
                for both in ((values, scores.without[key]), (missing, scores.without_missing[key]))
            )
            read = summarise(
                spec,
                own,
                np.where(np.isnan(own), lost, own),
                np.array(table["cluster"].to_pylist(), dtype=str),
                instrument=old.instrument,
                lost=old.without_source.missing,
                missing=protocol.missing,
                seed=protocol.seed,
            )
            scores.metrics[key] = beside(scores.metrics[key], read)
        if spec.rank is not None and old.curve and f"rank/{key}" in table.column_names:
            scores.ranks[key] = _numbers(table, f"rank/{key}")
            scores.metrics[key] = searched(
                scores.metrics[key],
                spec,
                scores.ranks[key][posed],
                missing[posed],
                clusters,
                old.curve[-1].people,
                protocol,
            )
    return scores


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    return np.array([np.nan if x is None else x for x in table[name].to_pylist()], dtype=np.float64)
