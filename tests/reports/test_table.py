"""Rows, columns, bold and daggers, in Markdown, CSV and the table that all outputs share."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from scipy import stats

from metrics.statistics.significance import holm, paired_t_test
from reports.frames import KEY, FrameTable
from reports.latex import latex_table
from reports.markdown import csv_table, frame, markdown_table
from reports.results import Results
from reports.table import RunFiles, build
from reports.versions import FURTHER
from tests.support.report_builders import MODELS, SCORES, content


def run(model: str, values: dict[str, float | None], half: float = 0.01, **changes: Any) -> RunFiles:
    """A model with intervals of +- half, and no frames: separated where the intervals leave a gap."""
    made = content(model)
    made["metrics"] = {
        key: {
            **made["metrics"][key],
            "ci95": None if v is None else [v - half, v + half],
            "value": v,
            **changes,
        }
        for key, v in values.items()
    }
    return RunFiles(Results.model_validate(made))


def bold(*runs: RunFiles, key: str = "identity") -> set[str]:
    return {name for name, metric in build(runs).bold if metric == key}


def test_references_are_the_ends_of_the_scale(runs: list[RunFiles]) -> None:
    assert [row.run.name for row in build(runs).rows] == MODELS
    assert [row.end for row in build(runs).rows] == ["low", "", "", "high", "high"]


def test_models_keep_the_order_in_which_they_were_given() -> None:
    names = ["zeta", "alpha", "mid"]
    assert [r.run.name for r in build([run(n, {"pose": 1.0}) for n in names]).rows] == names


def test_a_reference_can_be_declared() -> None:
    made = content("upper-bound")
    made["run"]["model"]["reference"] = True
    assert build([RunFiles(Results.model_validate(made))]).rows[0].end == "high"


def test_columns_follow_table_1(runs: list[RunFiles]) -> None:
    table = build(runs)
    assert [column.key for column in table.columns] == list(SCORES)
    shown = ["Identity change", "Attribute keeping", "Against the truth"]
    assert [name for name, _ in table.groups] == shown
    assert [column.arrow for column in table.columns[:4]] == ["↑", "↑", "↑", "↓"]


def test_a_second_instrument_stands_beside_the_first_and_new_metrics_at_the_end() -> None:
    made = content("mine")
    extra = made["metrics"]["identity"]
    made["metrics"] = {
        "glow": extra,
        "identity@arcface": {**extra, "instrument": "arcface:model"},
        **made["metrics"],
    }
    columns = build([RunFiles(Results.model_validate(made))]).columns
    keys = [column.key for column in columns]
    assert keys[-1] == "glow"
    assert (columns[-1].group, columns[-1].label) == (FURTHER, "Glow")
    assert abs(keys.index("identity@arcface") - keys.index("identity")) == 1
    readers = {column.key: column.reader for column in columns if column.reader}
    assert readers == {"identity": "dlib", "identity@arcface": "arcface"}
    assert "| Identity (arcface) ↑ |" in markdown_table([RunFiles(Results.model_validate(made))])


def test_readers_are_short_unless_two_would_be_alike() -> None:
    def readers(*instruments: str) -> list[str]:
        made = content("mine", metrics={})
        base = content()["metrics"]["identity"]
        made["metrics"] = {f"identity@{name}": {**base, "instrument": name} for name in instruments}
        return [column.reader for column in build([RunFiles(Results.model_validate(made))]).columns]

    assert readers("dlib", "arcface:w600k_r50") == ["dlib", "arcface"]
    assert readers("arcface:a", "arcface:b", "dlib:x") == ["arcface:a", "arcface:b", "dlib"]
    assert readers("arcface:a") == [""]
    assert readers("arcface:a", "CosFace") == [
        "arcface",
        "CosFace",
    ]  # a name that a user gave stands as it is
    assert readers("arcface:a", "ArcFace") == ["arcface:a", "ArcFace"]


def test_bold_needs_two_models_and_never_marks_all() -> None:
    a, b, c = run("a", {"identity": 0.9}), run("b", {"identity": 0.7}), run("c", {"identity": 0.8})
    reference = run("oracle", {"identity": 1.0})
    assert bold(a) == set()
    assert bold(a, reference) == set()
    assert bold(a, b, reference) == {"a"}
    assert bold(a, b, c, reference) == {"a", "c"}


def test_lower_is_better_turns_the_order() -> None:
    three = [run(name, {"pose": value}) for name, value in (("a", 0.9), ("b", 0.7), ("c", 0.8))]
    assert bold(*three, key="pose") == {"b", "c"}


def test_what_is_not_separated_is_not_bold() -> None:
    def four(*values: float, half: float = 0.01) -> set[str]:
        return bold(*(run(n, {"identity": v}, half) for n, v in zip("abcd", values, strict=True)))

    assert bold(run("a", {"identity": 0.5}), run("b", {"identity": 0.5})) == set()
    assert bold(run("a", {"identity": 0.9}, 0.2), run("b", {"identity": 0.7}, 0.2)) == set()
    assert four(0.9, 0.5, 0.5, 0.1) == {"a"}
    assert four(0.9, 0.89, 0.5, 0.1) == {"a", "b"}  # the two best are not separated, but both from the rest
    assert four(0.9, 0.7, 0.5, 0.1, half=0.15) == set()
    assert bold(run("a", {"identity": 0.5}), run("b", {"identity": None})) == set()


def test_a_number_under_a_dagger_is_shown_but_not_ranked() -> None:
    marked = run("a", {"identity": 0.9}, dagger="a was trained with dlib")
    others = [run("b", {"identity": 0.7}), run("c", {"identity": 0.8})]
    assert bold(marked, *others) == {"c"}
    text = markdown_table([marked, *others])
    assert "0.900†" in text
    assert text.endswith("\n† a was trained with dlib\n")


@drawn(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.booleans())
def test_bold_agrees_with_trying_all_sets(values: list[int], up: bool) -> None:
    """Bold: the largest set of at most two models, not all, each of which is better than every other model."""
    runs = [run(f"m{i}", {"identity": float(v)}, 0.4, higher_is_better=up) for i, v in enumerate(values)]
    sets = [
        set(chosen)
        for n in (2, 1)
        for chosen in combinations(range(len(values)), n)
        if n < len(values)
        and all(
            (values[i] > w) if up else (values[i] < w)
            for i in chosen
            for j, w in enumerate(values)
            if j not in chosen
        )
    ]
    assert bold(*runs) == ({f"m{i}" for i in sets[0]} if sets else set())


def frames_of(values: np.ndarray, clusters: list[str]) -> FrameTable:
    index = pd.MultiIndex.from_tuples([("c23", c, 0, i) for i, c in enumerate(clusters)], names=KEY)
    rows = {"cluster": clusters, "status": "ok", "reason": "", "posed": True, "metric/identity": values}
    return FrameTable(pd.DataFrame(rows, index=index))


def test_bold_follows_the_paired_frames_where_there_are_some() -> None:
    """Wide intervals that overlap, but every frame of one is better by a little: separated, for frames are paired."""
    rng = np.random.default_rng(0)
    clusters = [f"{i // 4}" for i in range(40)]
    hard = rng.normal(0.5, 0.2, 40)
    pair = [run("a", {"identity": 0.52}, 0.2), run("b", {"identity": 0.5}, 0.2)]
    assert bold(*pair) == set()
    better = frames_of(hard + 0.02 + rng.normal(0, 0.005, 40), clusters)
    noisy = frames_of(rng.permutation(hard), clusters)
    base = frames_of(hard, clusters)
    assert bold(replace(pair[0], table=better), replace(pair[1], table=base)) == {"a"}
    assert bold(replace(pair[0], table=noisy), replace(pair[1], table=base)) == set()


def test_the_paired_interval_covers_what_it_says() -> None:
    """Frames of one pair share an effect, so the clusters must be counted and not the frames."""
    rng = np.random.default_rng(1)
    clusters = np.repeat([f"{i:02d}" for i in range(20)], 6)
    inside = naive = 0
    for _ in range(400):
        d = 0.3 + np.repeat(rng.normal(0, 1, 20), 6) + rng.normal(0, 0.5, 120)
        found = paired_t_test(d, np.zeros(120), clusters)
        assert found is not None
        inside += found.ci95[0] <= 0.3 <= found.ci95[1]
        naive += abs(d.mean() - 0.3) <= 1.96 * d.std() / np.sqrt(120)
    assert 0.92 <= inside / 400 <= 0.98
    assert naive / 400 < 0.75


def test_the_paired_test_is_scipys_for_equal_clusters() -> None:
    rng = np.random.default_rng(2)
    d = rng.normal(0.2, 1, (12, 5))
    found = paired_t_test(d.ravel(), np.zeros(60), np.repeat([f"{i:02d}" for i in range(12)], 5))
    oracle = stats.ttest_1samp(d.mean(axis=1), 0)
    interval = oracle.confidence_interval(0.95)
    assert found is not None
    assert (found.p, *found.ci95) == pytest.approx((oracle.pvalue, interval.low, interval.high))
    assert paired_t_test(np.zeros(6), np.zeros(6), list("aabbcc")).p == 1.0
    assert paired_t_test(np.ones(3), np.zeros(3), ["a"] * 3) is None


def test_holm_holds_what_the_textbook_holds() -> None:
    assert (holm([0.01, 0.04, 0.03, 0.005]) <= 0.05).tolist() == [True, False, False, True]
    assert (holm([0.04]) <= 0.05).tolist() == [True]
    assert holm([]).tolist() == []


def test_latex_is_a_whole_table(runs: list[RunFiles]) -> None:
    text = latex_table(runs)
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in body[1:]} == {len(SCORES)}
    assert body[0].count(r"\multicolumn") == 3
    assert r"\textbf{46.3}" in text
    assert r"{\scriptsize 42.4--50.6}" in text
    hostile = latex_table([run(r"a_b%$#&{}\input{x}~^", {"pose": 1.0})])
    assert r"a\_b\%\$\#\&\{\}\textbackslash{}input\{x\}\textasciitilde{}\textasciicircum{}" in hostile


def test_markdown_holds_values_intervals_and_frames(runs: list[RunFiles]) -> None:
    lines = markdown_table(runs, ["id_retrieval", "pose"]).splitlines()
    assert lines == [
        "| Model | ID retrieval ↑ % | Pose ↓ | Frames |",
        "| --- | ---: | ---: | ---: |",
        "| *copy-target* (nothing swapped) | 1.5 (0.0 to 5.8) | 0.012 (0.001 to 0.025) | 400 of 400 |",
        "| smoothswap | **46.3** (42.4 to 50.6) | 0.064 (0.053 to 0.077) | 396 of 400 |",
        "| classical | 31.2 (27.3 to 35.5) | 0.071 (0.060 to 0.084) | 400 of 400 |",
        "| *copy-source* (the source's face pasted on) | 97.8 (93.9 to 100.0) | 0.287 (0.276 to 0.300) "
        "| 400 of 400 |",
        "| *oracle* (the true swap) | 98.5 (94.6 to 100.0) | 0.021 (0.010 to 0.034) | 400 of 400 |",
    ]


@pytest.mark.parametrize(
    "name", ["a|b", "<script>x</script>", "**loud**", "[x](y)", "`c`", "a_b_c", "back\\slash"]
)
def test_markdown_escapes_names(name: str) -> None:
    line = markdown_table([run(name, {"pose": 1.0})]).splitlines()[2]
    assert "<" not in line
    plain = (
        line.replace("\\\\", "").replace("\\|", "").replace("\\*", "").replace("\\`", "").replace("\\[", "")
    )
    assert plain.count("|") == 4
    assert not any(sign in plain for sign in "*`[")


def test_csv_holds_every_number_in_full(runs: list[RunFiles]) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table(runs))))
    assert len(rows) == len(MODELS) * len(SCORES)
    for row in rows:
        value = content(row["model"])["metrics"][row["metric"]]
        assert float(row["value"]) == value["value"]
        assert [float(row["low"]), float(row["high"])] == value["ci95"]
        assert int(row["n"]) == 396
    assert frame(runs)["model"].unique().tolist() == MODELS


def test_csv_gives_a_spreadsheet_no_formula() -> None:
    table = csv_table([run("=HYPERLINK(1)", {"truth_pixel": 2.0}), run('a,"b', {"truth_pixel": -1.0})])
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["model"] for row in rows] == ["'=HYPERLINK(1)", 'a,"b']
    assert rows[1]["value"] == "-1.0"


def test_the_gallery_stands_with_the_number() -> None:
    def run(name: str, people: int) -> RunFiles:
        given = content(name)
        given["metrics"]["id_retrieval"]["gallery"] = people
        return RunFiles(Results.model_validate(given))

    alike, other = [run("a", 40), run("b", 40)], [run("a", 40), run("b", 1000)]
    assert "| ID retrieval (40 people) ↑ % | ID top-5 ↑ % |" in markdown_table(alike)
    assert "ID retrieval (40 or 1,000 people) ↑ %" in markdown_table(other)
    assert "ID retrieval (40 people)" in latex_table(alike)
    rows = csv_table(other).splitlines()
    place = rows[0].split(",").index("gallery")
    assert [row.split(",")[place] for row in rows if ",id_retrieval," in row] == ["40", "1000"]
    assert "(40" not in markdown_table([RunFiles(Results.model_validate(content("a")))])
