"""Which words the difference of two models allows: one family, one correction, for bold, Findings and bench.compare."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from bench import false_words
from bench.compare.__main__ import compare
from metrics.statistics.significance import exchange_tests, holm, paired_test
from reports.findings import findings
from reports.frames import FAILED, KEY, FrameTable
from reports.paired import LEVEL, Families, family
from reports.results import Results
from reports.run_files import RunFiles
from reports.table import build
from tests.support import ROOT
from tests.support.report_builders import content

PEOPLE = np.repeat([f"{i:02d}" for i in range(14)], 3)
RANKED = ("identity", "shape", "expression", "pose")


def model(
    name: str, values: dict[str, np.ndarray], video: dict[str, np.ndarray] | None = None, people: int = 14
) -> RunFiles:
    """A model with frames of these values; what they mean stands in its results. video: of frames in a row."""
    made = content(name)
    base = made["metrics"]["pose"]
    every = {**values, **(video or {})}
    made["metrics"] = {
        key: {
            **made["metrics"].get(key, base),
            "value": float(x.mean()),
            "ci95": [float(x.mean()) - 0.1, float(x.mean()) + 0.1],
            "missing_policy": "exclude",
        }
        for key, x in every.items()
    }
    tables = [rows(part, people) for part in (values, video) if part]
    return RunFiles(Results.model_validate(made), table=FrameTable(tables[0], *tables[1:]))


def rows(values: dict[str, np.ndarray], people: int) -> pd.DataFrame:
    clusters = PEOPLE[: 3 * people]
    index = pd.MultiIndex.from_tuples([("c23", c, 0, i) for i, c in enumerate(clusters)], names=KEY)
    columns = {f"metric/{key}": x[: len(clusters)] for key, x in values.items()}
    return pd.DataFrame({"cluster": clusters, "status": "ok", "reason": "", "posed": True, **columns}, index)


def noise(seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=14), 3) + 0.1 * rng.normal(size=42) + shift


def pair(**shifts: float) -> tuple[RunFiles, RunFiles]:
    """Two models that differ in each metric by noise and a shift."""
    keys = {key: i for i, key in enumerate(RANKED)}
    base = {key: np.zeros(42) for key in keys}
    return model("a", {key: noise(i, shifts.get(key, 0.0)) for key, i in keys.items()}), model("b", base)


def test_exchange_tests_are_every_exchange_counted_and_the_test_of_one_metric() -> None:
    rng = np.random.default_rng(3)
    sums = rng.normal(0.4, 1, (4, 6))
    sums[3] = 0
    signs = np.array(list(product([1, -1], repeat=6)))
    expected = [(np.abs(signs @ row) >= abs(row.sum()) - 1e-9).mean() for row in sums]
    np.testing.assert_allclose(exchange_tests(sums), expected)
    alone = [paired_test(row, np.zeros(6), np.arange(6)) for row in sums]
    np.testing.assert_allclose(exchange_tests(sums), alone)
    many = rng.normal(0.25, 1, (3, 40))  # too many pairs to try all: two ways of drawing agree
    drawn = [paired_test(row, np.zeros(40), np.arange(40)) for row in many]
    np.testing.assert_allclose(exchange_tests(many), drawn, atol=0.02)
    assert exchange_tests(np.ones((1, 40))).tolist() == [1 / 10_000]  # never 0
    with pytest.raises(ValueError, match="a table of metrics and clusters"):
        exchange_tests(np.zeros(3))


def test_a_family_is_everything_that_two_models_have_in_common() -> None:
    a, b = pair()
    found = family(a, b)
    assert list(found) == [*RANKED, FAILED]
    p = [test.found.p for test in found.values()]
    assert [test.adjusted for test in found.values()] == pytest.approx(holm(p).tolist())
    differences = a.table.values("pose").groupby(PEOPLE).sum()  # type: ignore[union-attr]
    expected = paired_test(differences.to_numpy(), np.zeros(14), np.arange(14))
    assert found["pose"].found.p == pytest.approx(expected, abs=0.02)
    daggered = a.results.metrics["shape"].model_copy(update={"dagger": "trained with it"})
    marked = replace(
        a, results=a.results.model_copy(update={"metrics": {**a.results.metrics, "shape": daggered}})
    )
    assert list(family(marked, b)) == ["identity", "expression", "pose", FAILED]


def test_the_other_way_round_is_the_same_family_turned() -> None:
    a, b = pair(pose=3.0)
    families = Families()
    one, other = families.of(a, b)["pose"], families.of(b, a)["pose"]
    assert (one.adjusted, one.found.value) == (other.adjusted, -other.found.value)
    assert one.found.ci95 == tuple(-end for end in reversed(other.found.ci95))
    assert families.better(b, a, "pose")  # of angles the smaller is better
    assert not families.better(a, b, "pose")


def in_doubt() -> tuple[RunFiles, RunFiles, float]:
    """Two models of which one metric is apart in its own interval, and not once all are counted."""
    for shift in np.arange(0.4, 1.5, 0.05):
        a, b = pair(pose=float(shift))
        test = family(a, b)["pose"]
        if test.found.separated and test.found.p < LEVEL < test.adjusted:
            return a, b, float(shift)
    raise AssertionError("no such shift")


def test_what_does_not_hold_after_correction_is_no_word_anywhere() -> None:
    a, b, _ = in_doubt()
    table = build([a, b])
    assert not table.bold
    [said] = [one for one in findings(table) if "not separated" in one.sentence]
    assert "better" not in said.sentence
    assert any("not after Holm" in what and "Pose" in detail for what, detail in said.parts)
    results = [(run.results, run.table) for run in (b, a)]
    for only in ((), ("pose",)):
        verdicts = {c.metric: c.verdict for c in compare(*results, only=only)}  # type: ignore[arg-type]
        assert verdicts["pose"] == "not separated", only
    alone = [
        replace(
            run, results=run.results.model_copy(update={"metrics": {"pose": run.results.metrics["pose"]}})
        )
        for run in (a, b)
    ]
    assert family(*alone)["pose"].adjusted < family(a, b)["pose"].adjusted


def test_what_holds_is_said_everywhere() -> None:
    a, b = pair(pose=3.0)
    table = build([a, b])
    assert table.bold == {("b", "pose")}
    assert any(
        one.sentence == "b is better than a in one metric, Pose, and worse in none."
        for one in findings(table)
    )
    verdicts = {c.metric: c.verdict for c in compare((b.results, b.table), (a.results, a.table))}  # type: ignore[arg-type]
    assert verdicts["pose"] == "worse"


def test_too_few_pairs_of_people_separate_nothing_and_the_finding_says_so() -> None:
    """Three pairs that all agree: by chance one in four times, in every metric."""
    values = {key: np.arange(42) % 3 + 5.0 for key in RANKED}
    a, b = model("a", values, people=3), model("b", {key: x - 5 for key, x in values.items()}, people=3)
    assert {test.found.p for key, test in family(a, b).items() if key != FAILED} == {0.25}
    [said, *_] = findings(build([a, b]))
    assert "not separated" in said.sentence
    assert "3 pairs of people are too few" in said.test


def test_metrics_of_video_are_compared_frame_by_frame() -> None:
    """Frames that follow each other lie in a table of their own; intervals that overlap hide what pairing shows."""
    hard = noise(5)
    quiet = {"pose": noise(1)}
    a = model("a", quiet, {"pose_flicker": hard + 0.05 + 0.01 * noise(6)})
    b = model("b", {"pose": np.zeros(42)}, {"pose_flicker": hard})
    test = family(a, b)["pose_flicker"]
    assert test.paired
    assert test.separated
    assert (test.found.n, test.found.clusters) == (42, 14)
    [one] = [c for c in compare((b.results, b.table), (a.results, a.table)) if c.metric == "pose_flicker"]  # type: ignore[arg-type]
    assert (one.verdict, one.n) == ("worse", 42)
    assert one.ci95 is not None
    assert any("flicker" in detail for one in findings(build([a, b])) for _, detail in one.parts)


def test_an_interval_of_a_difference_ends_where_no_difference_can_be() -> None:
    values = {"id_retrieval": np.where(np.arange(42) < 39, 100.0, 0.0)}
    a, b = model("a", values), model("b", {"id_retrieval": np.zeros(42)})
    low, high = family(a, b)["id_retrieval"].found.ci95
    assert low > 0
    assert high == 100.0


def test_equal_models_are_seldom_called_different() -> None:
    """The simulation of bench.false_words in small: by Holm at most one in twenty, by single intervals far more."""
    a = model("a", {f"m{i}": noise(i) for i in range(12)})
    b = model("b", {f"m{i}": np.zeros(42) for i in range(12)})
    found = false_words.count(a, b, 20, seed=1)
    assert (found.pairs, found.metrics) == (14, 13)
    assert found.corrected <= 2
    assert found.alone >= 4
    text = false_words.table({"runs": 20, "comparisons": [vars(found)]})
    assert f"| {100 * found.corrected / 20:.1f} % | {100 * found.alone / 20:.1f} % |" in text


def test_the_committed_simulation_keeps_its_promise() -> None:
    found = json.loads((ROOT / "results" / "false-words.json").read_text())
    assert found["runs"] >= 500
    assert found["level"] == LEVEL
    shares = [one["corrected"] / found["runs"] for one in found["comparisons"]]
    assert len(shares) >= 6
    assert max(shares) <= LEVEL
    assert sum(one["alone"] for one in found["comparisons"]) > 3 * sum(
        one["corrected"] for one in found["comparisons"]
    )
