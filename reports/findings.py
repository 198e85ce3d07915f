"""Findings in words, made from the numbers: every sentence with the test that carries it.

Better, worse, nearer, farther, more and fewer are said where reports.paired separates two models, and nowhere else. Nearer
to the goal is only what has come nearer than every row that never saw the source, and is recognised as the source by more
than these (reports.recognition).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from metrics.spec import IDENTITY, TRUTH
from reports.frames import FAILED
from reports.paired import LEVEL, Decided, Family
from reports.recognition import GROUPS, listed
from reports.table import Column, Row, Table

_UNHELD = "Apart in its own interval, not after Holm's correction"
MOST_PAIRS = 12  # comparisons of models in words; beyond, the table says it better


@dataclass(frozen=True)
class Finding:
    """One sentence. parts: (what, detail) of a list after it; test: how sure it is, and by which test."""

    sentence: str
    parts: tuple[tuple[str, str], ...]
    test: str


@dataclass(frozen=True)
class _Tested:
    column: Column
    test: Decided

    @property
    def better(self) -> bool:
        """The first of the two, where they are separated."""
        return self.test.separated and (self.test.found.value > 0) == self.column.higher_is_better

    @property
    def worse(self) -> bool:
        """Likewise."""
        return self.test.separated and not self.better

    def text(self, turned: bool = False) -> str:
        """The metric with its difference; turned: of the second minus the first."""
        f = (self.test.turned() if turned else self.test).found
        interval = f"{_signed(self.column, f.ci95[0])} to {_signed(self.column, f.ci95[1])}"
        return f"{_name(self.column)} by {_signed(self.column, f.value)} ({interval})"


def findings(table: Table) -> list[Finding]:
    """What the run says: models against each other, against doing nothing, against the truth, lost frames.

    Args:
        table: The rows and columns.

    Returns:
        Sentences in that order, each with its test.
    """
    models = [row for row in table.rows if not row.end]
    ends = {row.run.results.run.model.name: row for row in table.rows if row.end}
    said = [_versus(table, a, b) for a, b in list(combinations(models, 2))[:MOST_PAIRS]]
    if "copy-target" in ends:
        said += [_nothing(table, row) for row in models]
    if "oracle" in ends:
        said += [_oracle(table, row, ends["oracle"]) for row in models]
    said += [_lost(table, row, ends.get("copy-target")) for row in models]
    return [one for one in said if one is not None]


def _tests(table: Table, a: Row, b: Row, columns: list[Column]) -> list[_Tested]:
    """a against b in those of the columns in which frames of both can be compared."""
    family = table.families.of(a.run, b.run)
    return [_Tested(c, family[c.key]) for c in columns if c.key in family and family[c.key].paired]


def _versus(table: Table, a: Row, b: Row) -> Finding | None:
    tests = _tests(table, a, b, table.columns)
    if not tests:
        return None
    better, worse, equal, unheld = _sorted(tests)
    one, two = a.run.name, b.run.name
    better, no_merit = _earned(table, one, better)
    worse, theirs = _earned(table, two, worse)
    if better and worse:
        sentence = f"{one} and {two} are each better at something: {one} in {_count(better)}, {two} in {_count(worse)}."
    elif better:
        sentence = f"{one} is better than {two} in {_count(better)}, and worse in none."
    elif worse:
        sentence = f"{two} is better than {one} in {_count(worse)}, and worse in none."
    else:
        equal_in = (
            f"in any of {len(tests)} metrics" if not no_merit and not theirs else "by what either has earned"
        )
        sentence = f"{one} and {two} are not separated {equal_in}."
    parts = (
        (f"{one} is better in", "; ".join(t.text() for t in better)),
        (f"{two} is better in", "; ".join(t.text(turned=True) for t in worse)),
        (f"{one}, not recognised as the source, scores higher in", "; ".join(t.text() for t in no_merit)),
        (
            f"{two}, not recognised as the source, scores higher in",
            "; ".join(t.text(turned=True) for t in theirs),
        ),
        ("Not separated", ", ".join(_name(t.column) for t in equal)),
        (_UNHELD, "; ".join(t.text() for t in unheld)),
    )
    what = "Each the named model minus the other"
    return Finding(sentence, _filled(parts), _method(tests, table.families.of(a.run, b.run), what))


def _nothing(table: Table, row: Row) -> Finding | None:
    """Does the model bring the face nearer to the source, and the picture nearer to the truth, than what never saw it?"""
    nothing, *others = table.source_free
    tests = _tests(table, row, nothing, [c for c in table.columns if c.group in (TRUTH, IDENTITY)])
    if not tests:
        return None
    better, worse, equal, unheld = _sorted(tests)
    further = {t.column.key: names for t in better if (names := _not_beyond(table, row, others, t.column))}
    nearer = [t for t in better if t.column.key not in further]
    name = row.run.name
    goal = "doing nothing" if not others else "anything that never saw the source"
    unseen = table.unrecognised.get(name, ())
    if unseen:
        sentence = f"{name} is not recognised as the source more often than {listed(unseen)}."
    elif nearer and not worse:
        sentence = f"{name} is nearer to the goal than {goal} in {_count(nearer)}."
    elif nearer:
        sentence = (
            f"{name} is nearer to the goal than {goal} in {_count(nearer)}, but farther than doing nothing in "
            f"{_count(worse)}."
        )
    elif worse:
        sentence = f"{name} is farther from the goal than doing nothing in {_count(worse)}."
    else:
        sentence = f"{name} is not separated from {goal}."
    parts = (
        (
            "Nearer, as a face of nobody in particular is too, in" if unseen else "Nearer in",
            "; ".join(t.text() for t in nearer),
        ),
        (
            "Nearer than doing nothing, but so is what never saw the source, in",
            "; ".join(
                f"{_name(t.column)} ({listed(further[t.column.key])})" for t in better if t not in nearer
            ),
        ),
        ("Farther in", "; ".join(t.text() for t in worse)),
        ("Not separated", ", ".join(_name(t.column) for t in equal)),
        (_UNHELD, "; ".join(t.text() for t in unheld)),
    )
    family = table.families.of(row.run, nothing.run)
    return Finding(sentence, _filled(parts), _method(tests, family, f"{name} − {nothing.run.name}"))


def _not_beyond(table: Table, row: Row, others: list[Row], column: Column) -> list[str]:
    """The rows without the source than which the model is not better in a column that they have."""
    return [
        other.run.name
        for other in others
        if column.key in table.families.of(row.run, other.run)
        and not table.families.better(row.run, other.run, column.key)
    ]


def _earned(table: Table, name: str, better: list[_Tested]) -> tuple[list[_Tested], list[_Tested]]:
    """What a model is better in, without and with only its identity where it is not recognised as the source."""
    if name not in table.unrecognised:
        return better, []
    return [t for t in better if t.column.group not in GROUPS], [
        t for t in better if t.column.group in GROUPS
    ]


def _oracle(table: Table, row: Row, oracle: Row) -> Finding | None:
    tests = _tests(table, row, oracle, [c for c in table.columns if c.group != TRUTH])
    if not tests:
        return None
    better, worse, equal, unheld = _sorted(tests)
    name = row.run.name
    if not equal and not better and not unheld:
        sentence = f"{name} falls short of the true swap in all {len(tests)} metrics."
    else:
        sentence = f"{name} falls short of the true swap in {len(worse)} of {len(tests)} metrics."
    parts = (
        ("Not told apart from it by", ", ".join(_name(t.column) for t in equal)),
        (
            "Scores above it, as keeping too much of the target does, in",
            ", ".join(_name(t.column) for t in better),
        ),
        (_UNHELD, "; ".join(t.text() for t in unheld)),
    )
    family = table.families.of(row.run, oracle.run)
    return Finding(sentence, _filled(parts), _method(tests, family, f"{name} − {oracle.run.name}"))


def _lost(table: Table, row: Row, nothing: Row | None) -> Finding | None:
    counts = row.run.results.counts
    # What was never there has not been lost by anybody.
    failed = {status: n for status, n in counts.failed.items() if n and status != "not_available"}
    there = counts.expected - counts.failed.get("not_available", 0)
    if not failed:
        return None
    name = row.run.name
    reasons = ", ".join(f"{n} {status}" for status, n in failed.items())
    sentence = f"{name} lost {sum(failed.values()):,} of {there:,} frames ({reasons})."
    test = None if nothing is None else table.families.of(row.run, nothing.run).get(FAILED)
    if nothing is None or test is None:
        return Finding(sentence, (), "Counted in the ledger; no test.")
    found = test.found
    low, high = found.ci95
    said = "not separated from"
    if test.separated:
        said = "more than" if found.value > 0 else "fewer than"
    untouched = nothing.run.results.counts
    sentence += (
        f" Where both originals have a face, that is {said} what untouched targets lose "
        f"({untouched.expected - untouched.used:,} frames in all)."
    )
    numbers = f"{found.value:+.1f} points ({low:+.1f} to {high:+.1f})".replace("-", "−")
    method = (
        f"Share of lost frames, {name} − {nothing.run.name}: {numbers}, p {_p(test.adjusted)} after Holm's correction; "
        f"paired over {found.n:,} frames in {found.clusters:,} pairs of people."
    )
    return Finding(sentence, (), method)


def _sorted(tests: list[_Tested]) -> tuple[list[_Tested], list[_Tested], list[_Tested], list[_Tested]]:
    """Better, worse, not separated, and separated only as long as nobody counts how many metrics were looked at."""
    rest = [t for t in tests if not t.test.separated]
    return (
        [t for t in tests if t.better],
        [t for t in tests if t.worse],
        [t for t in rest if not t.test.found.separated],
        [t for t in rest if t.test.found.separated],
    )


def _method(tests: list[_Tested], family: Family, what: str) -> str:
    n = [t.test.found.n for t in tests]
    frames = f"{min(n):,}" if min(n) == max(n) else f"{min(n):,} to {max(n):,}"
    largest = max((t.test.adjusted for t in tests if t.test.separated), default=None)
    said = f", largest among the separated {_p(largest)}" if largest is not None else ""
    pairs = max(t.test.found.clusters for t in tests)
    few = ""
    if len(family) * 2.0 ** (1 - pairs) > LEVEL:
        few = f" {pairs} pairs of people are too few to separate two models among so many tests."
    return (
        f"{what}: paired differences over {frames} shared frames in {pairs:,} pairs of people, 95 % t intervals with "
        f"cluster-robust errors; p by exchanging the models within whole pairs, after Holm's correction over all "
        f"{len(family)} tests of the two models{said}.{few}"
    )


def _filled(parts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((what, detail) for what, detail in parts if detail)


def _count(tests: list[_Tested]) -> str:
    if len(tests) == 1:
        return f"one metric, {_name(tests[0].column)}"
    return f"{len(tests)} metrics"


def _name(column: Column) -> str:
    return f"{column.label} ({column.reader})" if column.reader else column.label


def _signed(column: Column, value: float) -> str:
    text = f"{value:+.{column.decimals}f}"
    if not text.strip("+-0."):
        text = f"{value:+.1g}"
    return text.replace("-", "−")


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}" if p < 0.01 else f"= {p:.2f}"
