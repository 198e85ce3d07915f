"""The rows and columns that every output shares: which columns, in which order, what is bold.

A column's label, group and place are those that the metric declares of itself (metrics/spec.py) and its results carry:
nothing here knows a metric by its key. Rows are models between the two ends of the scale.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reports.paired import Families
from reports.recognition import GROUPS, unrecognised
from reports.results import REFERENCES, SOURCE_FREE, MetricValue, ResultsError
from reports.run_files import Failure, RunFiles
from reports.seen import sentence


@dataclass(frozen=True)
class Column:
    """One metric over all rows. `decimals` and the axis (`low`, `high`, in the metric's unit) are shared.

    Attributes:
        key: In results.json.
        group: The heading over it.
        label: What it is called.
        definition: What it measures, in words.
        unit: Of its values.
        instrument: What read it.
        reader: The instrument's short name, where several instruments read this metric; empty where it is clear.
        higher_is_better: Its direction.
        decimals: Of its values in print.
        low: The least number shown in it.
        high: The greatest.
        range: The least and the greatest possible value; None: no end.
        unranked: Why no word, bold number or scale rests on it; "": they may.
        galleries: How many people it searches, each number that occurs in its rows; () where it searches none.
        headline: Whether it asks for a place in the first table (reports.headline).
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
    range: tuple[float | None, float | None] = (None, None)
    unranked: str = ""
    galleries: tuple[int, ...] = ()
    headline: bool = False

    @property
    def among(self) -> str:
        """Among how many people it searches: "40 people", "40 or 1,000 people"; "" for none."""
        return f"{' or '.join(f'{n:,}' for n in self.galleries)} people" if self.galleries else ""

    @property
    def ranked(self) -> bool:
        """Whether words, bold numbers and the scale may rest on it."""
        return not self.unranked

    @property
    def mark(self) -> str:
        """‡ where it is shown and not ranked."""
        return "‡" if self.unranked else ""

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "↑" if self.higher_is_better else "↓"

    def text(self, value: float) -> str:
        """A value in print, with its decimals and a true minus sign."""
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
    """One model. `end`: reference rows are "low" (never saw the source) or "high" (ends of the scale), "" competes."""

    run: RunFiles
    end: str
    meaning: str

    def metric(self, column: Column) -> MetricValue | None:
        """Its value in a column; None where it was not measured."""
        return self.run.results.metrics.get(column.key)


@dataclass(frozen=True)
class Table:
    """What every output shows: rows and columns in order, and which cells are bold."""

    columns: list[Column]
    rows: list[Row]
    bold: set[tuple[str, str]] = field(default_factory=set)  # (model name, metric key)
    families: Families = field(default_factory=Families, repr=False, compare=False)
    # Model -> the rows without the source above which it is not recognised (reports.recognition).
    unrecognised: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def groups(self) -> list[tuple[str, list[Column]]]:
        """(heading, columns) from left to right."""
        return grouped(self.columns)

    @property
    def daggers(self) -> list[str]:
        """The notes behind the dagger marks, each once."""
        notes = (m.dagger for row in self.rows for m in row.run.results.metrics.values())
        return list(dict.fromkeys(note for note in notes if note))

    @property
    def departures(self) -> list[tuple[str, str]]:
        """(model, where its training departs from the paper's) of every row whose weights come with the package."""
        models = [row.run.results.run.model for row in self.rows]
        return [(model.name, ", ".join(model.departures)) for model in models if model.departures]

    @property
    def source_free(self) -> list[Row]:
        """The reference rows that never saw the source, doing nothing first."""
        return [row for row in self.rows if row.end == "low"]

    @property
    def unranked(self) -> list[tuple[str, list[Column]]]:
        """Each reason why columns are not ranked, with those columns."""
        reasons = dict.fromkeys(column.unranked for column in self.columns if column.unranked)
        return [(why, [column for column in self.columns if column.unranked == why]) for why in reasons]

    @property
    def seen(self) -> str:
        """Who has seen the run's people in training, as a sentence; "" where no result says."""
        return sentence([row.run.results for row in self.rows])


MEANINGS = {
    "copy-target": "nothing swapped",
    "blur": "the target's face blurred",
    "stranger": "a third person's face pasted on",
    "copy-source": "the source's face pasted on",
    "oracle": "the true swap",
}


def build(runs: Sequence[RunFiles]) -> Table:
    """Order rows and columns and choose the bold ones.

    Args:
        runs: The models, of different names.

    Returns:
        The table that every output shows.

    Raises:
        ResultsError: For no runs or one model twice.
    """
    if not runs:
        raise ResultsError("no results to report: give at least one model")
    names = [run.name for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ResultsError(f"two results for {', '.join(twice)}: give the models different names")
    rows = sorted((_row(run) for run in runs), key=_row_order)
    columns = columns_of([run.results.metrics for run in runs])
    families = Families()
    models, free = ([row.run for row in rows if row.end == end] for end in ("", "low"))
    lost = unrecognised(models, free, [column.key for column in columns], families)
    return Table(columns, rows, _bold(rows, columns, families, lost), families, lost)


def grouped(columns: Sequence[Column]) -> list[tuple[str, list[Column]]]:
    """(heading, columns) of some columns, in their order."""
    names = dict.fromkeys(column.group for column in columns)
    return [(name, [column for column in columns if column.group == name]) for name in names]


def _row(run: RunFiles) -> Row:
    name = run.results.run.model.name
    end = "" if not run.results.run.model.is_reference else "low" if name in SOURCE_FREE else "high"
    variant = (run.results.run.model.model_extra or {}).get(
        "variant"
    )  # in what a model of ours differs from the main one
    return Row(run, end, MEANINGS.get(name, "") if end else str(variant or ""))


def _row_order(row: Row) -> tuple[int, int]:
    """What never saw the source first, then models in the order given, then the other references, the truth last."""
    if not row.end:
        return (1, 0)
    name = row.run.results.run.model.name
    return (0 if row.end == "low" else 2, REFERENCES.index(name) if name in REFERENCES else 0)


def columns_of(results: Sequence[Mapping[str, MetricValue]]) -> list[Column]:
    """The columns over the metrics of some results.

    Args:
        results: The metrics of each.

    Returns:
        By group, the group with the least order first, then by order; a metric's instruments as they came.
    """
    seen: dict[str, list[MetricValue]] = {}
    for metrics in results:
        for key, metric in metrics.items():
            seen.setdefault(key, []).append(metric)
    first: dict[str, int] = {}
    for metric, *_ in seen.values():
        first[metric.group] = min(metric.order, first.get(metric.group, metric.order))
    groups = {name: place for place, name in enumerate(sorted(first, key=lambda name: first[name]))}
    names = list(dict.fromkeys(_name(key) for key in seen))

    def place(key: str) -> tuple[int, int, int]:
        metric = seen[key][0]
        return groups[metric.group], metric.order, names.index(_name(key))

    keys = sorted(seen, key=place)
    read = Counter(map(_name, keys))
    readers = _short_names({seen[key][0].instrument for key in keys})
    return _told_apart(
        [
            _column(key, seen[key], readers.get(seen[key][0].instrument, "") if read[_name(key)] > 1 else "")
            for key in keys
        ]
    )


def _told_apart(columns: list[Column]) -> list[Column]:
    """The same columns, a label that has been there before with its group, or else its key, in brackets."""
    known: set[tuple[str, str]] = set()
    told = []
    for column in columns:
        labels = [column.label, *(f"{column.label} ({said})" for said in (column.group.lower(), column.key))]
        label = next((one for one in labels if (one.lower(), column.reader) not in known), labels[-1])
        known.add((label.lower(), column.reader))
        told.append(column if label == column.label else replace(column, label=label))
    return told


def _name(key: str) -> str:
    """The metric's own key, without the instrument behind it."""
    return key.partition("@")[0]


def _short_names(instruments: set[str | None]) -> dict[str | None, str]:
    """`arcface` for `arcface:a_long_file_name`, unless two instruments would then share a name."""
    families = Counter(name.split(":")[0].lower() for name in instruments if name)
    return {
        name: name.split(":")[0] if families[name.split(":")[0].lower()] == 1 else name
        for name in instruments
        if name
    }


def _column(key: str, metrics: list[MetricValue], reader: str) -> Column:
    first = metrics[0]
    ends = [x for m in metrics if m.value is not None for x in (m.value, *(m.ci95 or ()))]
    largest = max((abs(x) for x in ends), default=0.0)
    decimals = 1 if first.unit == "%" or largest >= 10 else 2 if largest >= 2 else 3
    return Column(
        key,
        first.group,
        first.label,
        first.description or "",
        first.unit,
        first.instrument,
        reader,
        first.higher_is_better,
        decimals,
        min(ends, default=0.0),
        max(ends, default=0.0),
        first.range,
        first.unranked or "",
        tuple(sorted({m.gallery for m in metrics if m.gallery is not None})),
        first.headline,
    )


def _bold(
    rows: list[Row], columns: list[Column], families: Families, lost: Mapping[str, Sequence[str]]
) -> set[tuple[str, str]]:
    """The best two of each column as in the paper, or the best one: as many as are better than all the rest.

    Better: by the test over all metrics of two models, corrected (reports.paired). Of two models only one can be bold.
    References, numbers under a dagger and columns that declare it are not ranked, and no model by its identity that is not
    recognised as the source (reports.recognition).
    """
    bold = set()
    for column in columns:
        if not column.ranked:
            continue
        ranked = [
            (m.value, row.run)
            for row in rows
            if not row.end and (m := row.metric(column)) and m.value is not None and not m.dagger
        ]
        ranked.sort(key=lambda pair: -pair[0] if column.higher_is_better else pair[0])
        for best in (2, 1):
            if best < len(ranked) and all(
                families.better(mine, theirs, column.key)
                for _, mine in ranked[:best]
                for _, theirs in ranked[best:]
            ):
                names = {run.name for _, run in ranked[:best]}
                bold |= {
                    (name, column.key) for name in names if column.group not in GROUPS or name not in lost
                }
                break
    return bold


__all__ = ["Column", "Failure", "Row", "RunFiles", "Table", "build", "columns_of", "grouped"]
