"""The rows and columns that every output shares: which columns, in which order, what is bold.

Columns are grouped as in the paper's Table 1 (identity change on the left, attribute keeping on the right), then
steadiness of video and picture quality where they were measured, and the errors against the truth. Rows are models
between the two ends of the scale.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.paired import apart
from reports.results import REFERENCES, MetricValue, ResultsError
from reports.run_files import Failure, RunFiles


@dataclass(frozen=True)
class Known:
    """How a metric of the suite is called and explained when its results say nothing themselves."""

    group: str
    label: str
    definition: str


IDENTITY, KEEPING, VIDEO, QUALITY, TRUTH, OTHER = (
    "Identity change",
    "Attribute keeping",
    "Steadiness of video",
    "Picture quality",
    "Against the truth",
    "Further metrics",
)
GROUPS = (IDENTITY, KEEPING, VIDEO, QUALITY, TRUTH, OTHER)
_RELATIVE = " as a share: distance to the wanted face / (that + distance to the other face). 0 is ideal."

KNOWN: dict[str, Known] = {
    "id_retrieval": Known(
        IDENTITY,
        "ID retrieval",
        "Share of swapped faces whose nearest face among all original faces is the source person.",
    ),
    "id_retrieval_top5": Known(
        IDENTITY, "ID top-5", "Share of swapped faces with the source person among the five nearest."
    ),
    "vgg": Known(IDENTITY, "VGG", "L2 distance between the swap and the source, VGGFace2 features."),
    "vgg_r": Known(IDENTITY, "VGG-R", "VGG" + _RELATIVE),
    "arc": Known(IDENTITY, "Arc", "Cosine similarity between the swap and the source, ArcFace features."),
    "arc_r": Known(
        IDENTITY, "Arc-R", "Arc as a share: similarity to the source / (that + similarity to the target)."
    ),
    "identity": Known(IDENTITY, "Identity", "Cosine similarity between the swap and the source person."),
    "identity_r": Known(IDENTITY, "Identity-R", "Identity (cosine distance)" + _RELATIVE),
    "shape": Known(IDENTITY, "Shape", "L2 distance between the face shapes of the swap and the source."),
    "shape_r": Known(IDENTITY, "Shape-R", "Shape" + _RELATIVE),
    "expression": Known(
        KEEPING, "Expression", "L2 distance between the expressions of the swap and the target."
    ),
    "expression_r": Known(KEEPING, "Expr-R", "Expression" + _RELATIVE),
    "pose": Known(KEEPING, "Pose", "L2 distance between the head poses of the swap and the target."),
    "pose_r": Known(KEEPING, "Pose-R", "Pose" + _RELATIVE),
    "pose_hn": Known(KEEPING, "Pose HN", "L2 distance between the head poses in degrees, read by Hopenet."),
    "identity_consistency": Known(
        VIDEO,
        "Identity",
        "Cosine similarity between the swap's identity in a frame and in the one before it.",
    ),
    "expression_flicker": Known(
        VIDEO, "Expr flicker", "Change of the expression from frame to frame, less the target's own change."
    ),
    "pose_flicker": Known(
        VIDEO, "Pose flicker", "Turn of the head from frame to frame, less the target's own turn."
    ),
    "filter_bank_distance": Known(
        QUALITY,
        "Filter bank",
        "Fréchet distance of sharpness, texture, contrast and colour to the targets'. No FID.",
    ),
    "fid": Known(QUALITY, "FID", "Fréchet distance of Inception features of the swaps to the targets'."),
    "kid": Known(
        QUALITY, "KID", "Kernel distance of Inception features of the swaps to the targets', unbiased."
    ),
    "truth_pixel": Known(TRUTH, "Pixels", "Mean absolute difference from the true swap, of 255 levels."),
    "truth_identity": Known(
        TRUTH, "Identity", "Distance between the readings of identity on the swap and on the true swap."
    ),
    "truth_shape": Known(
        TRUTH, "Shape", "Distance between the readings of shape on the swap and on the true swap."
    ),
    "truth_expression": Known(
        TRUTH, "Expression", "Distance between the readings of expression on the swap and on the true swap."
    ),
    "truth_pose": Known(
        TRUTH, "Pose", "Distance between the readings of pose on the swap and on the true swap."
    ),
}
_ORDER = {key: i for i, key in enumerate(KNOWN)}


@dataclass(frozen=True)
class Column:
    """One metric over all rows. `decimals` and the axis (`low`, `high`, in the metric's unit) are shared.

    reader: the instrument's short name, where several instruments read this metric; empty where it is clear.
    """

    key: str
    group: str
    label: str
    definition: str
    unit: str
    instrument: str | None
    reader: str
    higher_is_better: bool
    decimals: int
    low: float
    high: float

    @property
    def arrow(self) -> str:
        return "↑" if self.higher_is_better else "↓"

    def text(self, value: float) -> str:
        return f"{value:.{self.decimals}f}".replace("-", "−")

    def brief(self, value: float) -> str:
        """As `text`, but .823 for 0.823, for the ends of an interval in a narrow column."""
        text = self.text(value)
        return text.replace("0.", ".", 1) if self.decimals == 3 and abs(value) < 0.9995 else text

    def place(self, value: float) -> float:
        """Where a value lies on the column's axis, 0 to 100."""
        span = self.high - self.low
        return 50.0 if span <= 0 else min(100.0, max(0.0, 100 * (value - self.low) / span))


@dataclass(frozen=True)
class Row:
    """One model. `end`: "low" and "high" are reference rows (ends of the scale), "" competes."""

    run: RunFiles
    end: str
    meaning: str

    def metric(self, column: Column) -> MetricValue | None:
        return self.run.results.metrics.get(column.key)


@dataclass(frozen=True)
class Table:
    columns: list[Column]
    rows: list[Row]
    bold: set[tuple[str, str]] = field(default_factory=set)  # (model name, metric key)

    @property
    def groups(self) -> list[tuple[str, list[Column]]]:
        grouped = [(name, [c for c in self.columns if c.group == name]) for name in GROUPS]
        return [(name, columns) for name, columns in grouped if columns]

    @property
    def daggers(self) -> list[str]:
        """The notes behind the dagger marks, each once."""
        notes = (m.dagger for row in self.rows for m in row.run.results.metrics.values())
        return list(dict.fromkeys(note for note in notes if note))


MEANINGS = {
    "copy-target": "nothing swapped",
    "copy-source": "the source's face pasted on",
    "oracle": "the true swap",
}


def build(runs: Sequence[RunFiles]) -> Table:
    """Order rows and columns and choose the bold ones. Raises ResultsError for no runs or one model twice."""
    if not runs:
        raise ResultsError("no results to report: give at least one model")
    names = [run.name for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ResultsError(f"two results for {', '.join(twice)}: give the models different names")
    rows = sorted((_row(run) for run in runs), key=_row_order)
    columns = columns_of([run.results.metrics for run in runs])
    return Table(columns, rows, _bold(rows, columns))


def _row(run: RunFiles) -> Row:
    name = run.results.run.model.name
    end = "" if not run.results.run.model.is_reference else "low" if name == "copy-target" else "high"
    variant = (run.results.run.model.model_extra or {}).get(
        "variant"
    )  # in what a model of ours differs from the main one
    return Row(run, end, MEANINGS.get(name, "") if end else str(variant or ""))


def _row_order(row: Row) -> tuple[int, int]:
    """copy-target first, then models in the order given, then the other references, the truth last."""
    if not row.end:
        return (1, 0)
    name = row.run.results.run.model.name
    return (0 if row.end == "low" else 2, REFERENCES.index(name) if name in REFERENCES else 0)


def columns_of(results: Sequence[Mapping[str, MetricValue]]) -> list[Column]:
    """The columns over the metrics of some results, in the order of Table 1."""
    seen: dict[str, list[MetricValue]] = {}
    for metrics in results:
        for key, metric in metrics.items():
            seen.setdefault(key, []).append(metric)
    order = {key: i for i, key in enumerate(seen)}
    keys = sorted(seen, key=lambda key: (_ORDER.get(key.split("@")[0], len(_ORDER)), order[key]))
    read = Counter(key.split("@")[0] for key in keys)
    names = _short_names({seen[key][0].instrument for key in keys})
    return [
        _column(key, seen[key], names.get(seen[key][0].instrument, "") if read[key.split("@")[0]] > 1 else "")
        for key in keys
    ]


def _short_names(instruments: set[str | None]) -> dict[str | None, str]:
    """`arcface` for `arcface:a_long_file_name`, unless two instruments would then share a name."""
    families = Counter(name.split(":")[0] for name in instruments if name)
    return {
        name: name.split(":")[0] if families[name.split(":")[0]] == 1 else name
        for name in instruments
        if name
    }


def _column(key: str, metrics: list[MetricValue], reader: str) -> Column:
    first = metrics[0]
    name = key.split("@")[0]
    known = KNOWN.get(name, Known(OTHER, name, ""))
    ends = [x for m in metrics if m.value is not None for x in (m.value, *(m.ci95 or ()))]
    largest = max((abs(x) for x in ends), default=0.0)
    decimals = 1 if first.unit == "%" or largest >= 10 else 2 if largest >= 2 else 3
    return Column(
        key,
        known.group,
        first.label or known.label,
        first.description or known.definition,
        first.unit,
        first.instrument,
        reader,
        first.higher_is_better,
        decimals,
        min(ends, default=0.0),
        max(ends, default=0.0),
    )


def _bold(rows: list[Row], columns: list[Column]) -> set[tuple[str, str]]:
    """The best two of each column as in the paper, or the best one: as many as are separated from all the rest.

    Separated: the interval of the paired difference leaves 0 out (reports.paired). Of two models only the
    better one can be bold. References and numbers under a dagger are not ranked.
    """
    bold = set()
    for column in columns:
        ranked = [
            (m.value, row.run)
            for row in rows
            if not row.end and (m := row.metric(column)) and m.value is not None and not m.dagger
        ]
        ranked.sort(key=lambda pair: -pair[0] if column.higher_is_better else pair[0])
        for best in (2, 1):
            if best < len(ranked) and all(
                apart(mine, theirs, column.key) for _, mine in ranked[:best] for _, theirs in ranked[best:]
            ):
                bold |= {(run.name, column.key) for _, run in ranked[:best]}
                break
    return bold


__all__ = ["Column", "Failure", "Row", "RunFiles", "Table", "build", "columns_of"]
