"""bench.verify: silent about a whole run, and one line for everything that was changed in it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.ffpp.protocol import Protocol
from bench.verify import intervals
from bench.verify.__main__ import check, main
from metrics.statistics.intervals import cluster_interval
from tests.support import ROOT, made_runs


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    made_runs.write(tmp_path / "run", "copy-target", lambda s, t: t.copy(), reference=True)
    return made_runs.write(tmp_path / "run", "mine", made_runs.blend(), noise=1, lost=(3, 4))


def test_a_whole_run_is_a_success(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(whole.parent)]) == 0
    printed = capsys.readouterr()
    assert printed.out == (
        "SUCCESS: 2 models, 192 rows, 24 metrics recomputed from readings, 0 from the values of each frame\n"
    )
    assert main([str(whole), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["success"] is True


@pytest.mark.parametrize("gallery", ["all", "without_source_frame"])
@pytest.mark.parametrize("missing", ["count_as_wrong", "exclude", "count_everywhere"])
def test_every_rule_is_recounted(tmp_path: Path, gallery: Any, missing: Any) -> None:
    protocol = Protocol(frames=4, missing=missing)
    folder = made_runs.write(tmp_path, "mine", made_runs.blend(0.45), noise=3, lost=(0, 9), protocol=protocol)
    assert check(folder).violations == []
    if gallery == "without_source_frame":  # the same readings under a rule that was not applied
        made_runs.edit_results(folder, lambda c: c["run"]["protocol"].update(gallery=gallery))
        assert any("the protocol's fields give" in v for v in check(folder).violations)


def test_a_drawn_gallery_is_recounted(tmp_path: Path) -> None:
    """Drawn in another way, the same readings give other hits: the verifier finds out on its own."""
    protocol = Protocol(frames=4, gallery_size=4, seed=3)
    folder = made_runs.write(tmp_path, "mine", made_runs.blend(0.1), noise=3, lost=(0,), protocol=protocol)
    assert check(folder).violations == []
    stored = json.loads((folder / "results.json").read_text())
    found, whole = stored["metrics"]["id_retrieval"], protocol.model_copy(update={"gallery_size": None})
    assert found["gallery"] == 4
    assert [point["people"] for point in found["curve"]] == [5, 10, 20, 24]
    assert found["curve"][-1]["value"] < found["curve"][0]["value"] < 100
    other = protocol.model_copy(update={"seed": 4})
    for stated in (whole, other):
        rules = {**stated.model_dump(mode="json"), "hash": stated.hash}
        made_runs.edit_results(
            folder, lambda c, rules=rules: c["run"].update(protocol=rules, seed=rules["seed"])
        )
        assert any("id_retrieval" in v and "do not follow" in v for v in check(folder).violations)


def second_is_found(data: pd.DataFrame) -> pd.DataFrame:
    near = data["rank/id_retrieval"] == 2
    assert near.any()
    data.loc[near, "metric/id_retrieval"] = 100.0
    return data


def target_is_gone(data: pd.DataFrame) -> pd.DataFrame:
    assert (data["metric/target_retrieval"] == 100).any()
    data["metric/target_retrieval"] *= 0
    return data


@pytest.mark.parametrize("fault", [second_is_found, target_is_gone])
def test_room_for_rounding_is_no_room_for_a_rank(tmp_path: Path, fault: Any) -> None:
    """A rank may fall either way by a rounded cosine, but not by one person."""
    folder = made_runs.write(tmp_path, "mine", made_runs.blend(0.1), noise=3)
    made_runs.edit_frames(folder, fault)
    assert any("do not follow from the readings" in v for v in check(folder).violations)


def lost_rows(data: pd.DataFrame) -> pd.DataFrame:
    return data.drop(index=[5])


def better_column(data: pd.DataFrame) -> pd.DataFrame:
    data["metric/identity"] += 0.01
    return data


def better_readings(data: pd.DataFrame) -> pd.DataFrame:
    data["swap/made/pose"] = [None if x is None else x * 0.9 for x in data["swap/made/pose"]]
    return data


def other_cluster(data: pd.DataFrame) -> pd.DataFrame:
    data.loc[data["clip"] == "000_001", "cluster"] = "002+003"
    return data


def consecutive(data: pd.DataFrame) -> pd.DataFrame:
    data.loc[data["clip"] == "000_001", "frame"] = [0, 1, 2, 21]
    return data


def other_ranks(data: pd.DataFrame) -> pd.DataFrame:
    data["rank/id_retrieval"] += 1
    return data


def no_reason(data: pd.DataFrame) -> pd.DataFrame:
    data["reason"] = ""
    return data


FRAMES_FAULTS: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    (lost_rows, "ledger: 95 rows, expected says 96"),
    (lost_rows, "clip 001_000: positions [0, 2, 3] are not 0 to 2"),
    (better_column, "metric identity: 94 of 96 frames do not follow from the readings"),
    (better_readings, "metric pose: 94 of 96 frames do not follow from the readings"),
    (other_cluster, "ledger: the cluster is not the pair of people in 000_001"),
    (consecutive, "clip 000_001: frames 0, 1, 2, 21 are not 4 evenly spaced ones"),
    (other_ranks, "ranks do not follow from the readings"),
    (other_ranks, "hits are not those of the ranks"),
    (no_reason, "ledger: 2 failed rows have no reason"),
]


@pytest.mark.parametrize(("fault", "said"), FRAMES_FAULTS)
@pytest.mark.parametrize("rehashed", [False, True])
def test_changed_frames_are_named(whole: Path, fault: Any, said: str, rehashed: bool) -> None:
    sha = made_runs.edit_frames(whole, fault)
    if rehashed:
        made_runs.edit_results(whole, lambda c: c["files"].update({"frames.parquet": sha}))
    violations = check(whole).violations
    assert any(said in v for v in violations), violations
    assert any("changed since" in v for v in violations) is not rehashed


RESULT_FAULTS: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda c: c["metrics"]["identity"].update(value=0.99, ci95=[0.98, 1.0]), "metric identity: value 0.99"),
    (lambda c: c["metrics"]["pose"].update(n=96), "metric pose: n 96, recomputed 94"),
    (lambda c: c["metrics"]["pose"].update(higher_is_better=True), "metric pose: higher_is_better is True"),
    (lambda c: c["metrics"]["pose"].update(unit="degrees"), "metric pose: unit 'degrees', it is 'rad'"),
    (lambda c: c["metrics"]["identity"]["ci95"].__setitem__(0, 0.1), "metric identity: interval 0.1"),
    (
        lambda c: c["metrics"]["id_retrieval"].update(missing_policy="exclude"),
        "policy exclude, by the protocol count",
    ),
    (
        lambda c: c["metrics"]["shape"]["excluding_missing"].update(value=0.1),
        "shape, excluding missing: value",
    ),
    (lambda c: c["metrics"].pop("shape_r"), "disagree on shape_r"),
    (lambda c: c["counts"].update(expected=95, used=93), "ledger: 96 rows, expected says 95"),
    (lambda c: c["counts"].update(failed={"no_face": 1, "model_error": 1}), "failed says"),
    (lambda c: c["run"]["protocol"].update(frames=8), "the protocol's fields give"),
    (
        lambda c: c["run"]["gallery"].update(people=1000),
        "gallery: people, clips, frames and size are (1000, 24",
    ),
    (
        lambda c: c["run"]["protocol"].update(name="ff++"),
        "protocol: called ff++, but split is test, in ff++ all",
    ),
    (lambda c: c["run"]["protocol"].update(identity_map_sha256="0" * 64), "hash: the identity map gives"),
    (
        lambda c: c["metrics"]["id_retrieval"].update(gallery=1000),
        "metric id_retrieval: gallery 1000, recomputed 24",
    ),
    (
        lambda c: c["metrics"]["id_retrieval"]["curve"][1].update(value=99.5, ci95=[99.0, 100.0]),
        "metric id_retrieval: among 10 people 99.5, recomputed",
    ),
    (
        lambda c: c["metrics"]["target_retrieval"]["curve"].pop(),
        "metric target_retrieval: its curve over 5, 10, 20 does not rise to 24 people",
    ),
    (lambda c: c["run"].update(seed=5), "run.seed 5 is not the protocol's 0"),
    (lambda c: c["run"]["model"].update(name="yours"), "results are of yours"),
    (lambda c: c.update(schema_version=3), "schema: "),
    (lambda c: c["counts"].update(used=1), "every frame is either used or has a reason"),
]


@pytest.mark.parametrize(("fault", "said"), RESULT_FAULTS)
def test_changed_results_are_named(
    whole: Path, capsys: pytest.CaptureFixture[str], fault: Any, said: str
) -> None:
    made_runs.edit_results(whole, fault)
    assert main([str(whole)]) == 3
    printed = capsys.readouterr().out
    assert said in printed
    assert all(line.startswith(("VIOLATION mine: ", "FAILED: ")) for line in printed.splitlines())


def test_models_of_one_run_share_protocol_and_data(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_runs.edit_results(whole, lambda c: c["run"]["data"].update(manifest_sha256="2" * 64))
    assert main([str(whole.parent)]) == 3
    assert "VIOLATION run: data of mine and copy-target differ" in capsys.readouterr().out


def test_missing_and_damaged_files(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "no results in" in capsys.readouterr().err
    (whole / "frames.parquet").write_bytes(b"PAR1 cut")
    assert any(v.startswith("files: cannot read") for v in check(whole).violations)
    (whole / "results.json").unlink()
    assert any("it is written last, so the run did not finish" in v for v in check(whole).violations)
    (whole.parent / "originals.parquet").unlink()
    assert any("originals.parquet" in v for v in check(whole.parent / "copy-target").violations)


APART = ("meaning", "page", "stated", "together")
"""Modules of the verifier that state or compare, and compute nothing."""


def test_the_recount_shares_no_code_with_the_metrics() -> None:
    modules = sorted(
        path.stem for path in (ROOT / "bench" / "verify").glob("*.py") if path.stem != "__init__"
    )
    assert modules == [
        "__main__",
        "checks",
        "distances",
        "galleries",
        "intervals",
        "ledger",
        "meaning",
        "modes",
        "page",
        "photos",
        "pictures",
        "recount",
        "retrieval",
        "slices",
        "sourceless",
        "stated",
        "together",
    ]
    for name in modules:
        tree = ast.parse((ROOT / "bench" / "verify" / f"{name}.py").read_text())
        imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        imported -= {"smoothswap.cli"}  # the kit of commands, which computes nothing
        assert not {i for i in imported if i.split(".")[0] in ("metrics", "smoothswap", "torch")}
        assert imported & {"numpy", "pandas"} or name in APART
    loaded = ", ".join(f"bench.verify.{name}" for name in modules)
    program = f"import sys, {loaded}; print([m for m in sys.modules if m.startswith('metrics')])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("k", [3, 8, 40])
@pytest.mark.parametrize("shares", [False, True])
def test_the_two_intervals_agree(k: int, shares: bool) -> None:
    rng = np.random.default_rng(k)
    clusters = np.repeat([f"{i}" for i in range(k)], 6)
    values = rng.normal(size=6 * k) + np.repeat(rng.gamma(2, size=k), 6)
    if shares:
        values = 100.0 * (values > 2.0)
    bounds = (0.0, 100.0) if shares else None
    mine, theirs = (
        intervals.interval(values, clusters, bounds),
        cluster_interval(values, clusters, bounds=bounds),
    )
    assert mine is not None
    width = theirs[1] - theirs[0]
    assert intervals.agree(theirs, mine, 1e-9 * width)
    assert max(high - low for low, high in mine) <= (0.25 * width if bounds is None and k >= 10 else 0)


def of_few_that_differ(k: int, rng: np.random.Generator) -> np.ndarray:
    values = np.zeros((k, 4))
    values[rng.choice(k, min(3, k), replace=False)] = rng.gamma(1, size=(min(3, k), 4))
    return values.ravel()


def of_a_long_tail(k: int, rng: np.random.Generator) -> np.ndarray:
    return np.exp(2 * rng.normal(size=(k, 1)) + 0.3 * rng.normal(size=(k, 4))).ravel()


def of_rounding(k: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=4 * k) * 1e-16


@pytest.mark.parametrize("made", [of_few_that_differ, of_a_long_tail, of_rounding])
@pytest.mark.parametrize("k", [2, 3, 9, 10, 12, 20])
def test_no_interval_of_a_genuine_run_is_refused(k: int, made: Any) -> None:
    """Where few pairs differ a bootstrap jumps with its random numbers; and an interval of 1e-16 is one of 0."""
    for seed in range(12):
        values, clusters = made(k, np.random.default_rng(seed)), np.repeat(np.arange(k).astype(str), 4)
        again = intervals.interval(values, clusters, None)
        said = cluster_interval(values, clusters, seed)
        assert intervals.agree(said, again, 1e-6 + 0.02 * (said[1] - said[0])), (seed, said, again)


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "python -m bench.verify runs/ffpp" in capsys.readouterr().out
