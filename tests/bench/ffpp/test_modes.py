"""--self and --cycle: what they score, what keeps them honest, and what is refused."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from bench.compare.__main__ import main as compare
from bench.data.clips import Frames
from bench.data.pairs import Pair
from bench.errors import UsageError
from bench.ffpp import presets
from bench.ffpp.__main__ import main
from bench.ffpp.clip import Clip
from bench.ffpp.cycle import compressed
from bench.ffpp.plan import check_mode
from bench.ffpp.protocol import Protocol
from bench.ffpp.shown import farthest, source_frame
from bench.reading.reader import Reading
from bench.rescore import main as rescore
from bench.verify.__main__ import check
from metrics import Sides, evaluate
from reports.pictures import store
from reports.results import Results, load
from smoothswap.faces.face import Face
from tests.support import made_runs
from tests.support.ffpp_trees import clip_frames, face_frame, make_tree

FACE = Face((0.0, 0.0, 9.0, 9.0), np.zeros((68, 2), np.float32), 1.0)


def clip(numbers: list[int], usable: str) -> Clip:
    frames = Frames(max(numbers) + 1, numbers, [None] * len(numbers), [""] * len(numbers))
    lost = Reading(0, None, "no_face", "no face")
    return Clip(frames, [Reading(1, FACE, "ok") if mark == "x" else lost for mark in usable])


def test_the_other_frame_is_the_farthest_with_a_face() -> None:
    whole = clip([0, 10, 20, 30], "xxxx")
    assert [farthest(whole, i) for i in range(4)] == [3, 3, 0, 0]
    assert [farthest(clip([0, 10, 20], mark), 1) for mark in ("xxx", ".xx", ".x.")] == [0, 2, None]
    assert source_frame(whole, 2, "matched", own=False) == 2
    assert source_frame(clip([0, 10], ".x"), 0, "matched", own=False) == 1
    assert source_frame(whole, 2, "matched", own=True) == 0


def test_a_run_of_swaps_has_the_hash_that_it_had_before_there_were_modes() -> None:
    assert "mode" not in Protocol().model_dump()
    own, cycle = Protocol(mode="self"), Protocol(mode="cycle")
    assert len({Protocol().hash, own.hash, cycle.hash}) == 3
    assert own.model_dump()["other_photo"] == "next_clip_or_farthest_frame"
    assert "between" not in own.model_dump()
    assert cycle.model_dump()["between"] == "jpeg_75"
    assert presets.name_of(Protocol(), "ffpp", 140) == "ff++-test"
    assert presets.name_of(own, "ffpp", 140) is None


def test_between_the_two_ways_lies_a_jpeg() -> None:
    """Pillow's coder as the oracle; a message in the lowest bit does not come along."""
    image = face_frame("000")
    buffer = io.BytesIO()
    Pillow.fromarray(image).save(buffer, "JPEG", quality=75)
    theirs = np.asarray(Pillow.open(buffer).convert("RGB"), np.float64)
    assert np.abs(compressed(image) - theirs).mean() < 0.5
    hidden = np.random.default_rng(0).integers(0, 2, image.shape, dtype=np.uint8)
    kept = compressed((image & 254) | hidden) & 1
    assert abs((kept == hidden).mean() - 0.5) < 0.02


def test_a_lost_face_is_no_gain_where_the_truth_is_the_target() -> None:
    """It counts as the source; as the target, as elsewhere, it would be the right answer."""
    rows = {side: np.eye(4)[[i, i]] for i, side in enumerate(("swap", "source", "target"))}
    swap = rows["swap"].copy()
    swap[1] = np.nan
    sides = Sides(
        *({"identity": face} for face in (swap, rows["source"], rows["target"])),
        *(np.array(names) for names in (["b", "b"], ["a", "a"], ["a+b", "c+d"])),
        truth={"identity": rows["target"], "pixel_error": np.array([3.0, np.nan])},
        own_truth=True,
    )
    found = evaluate(sides, ["truth_identity"], "count_everywhere")["truth_identity"]
    assert found.counting_missing.value == pytest.approx(1.0)
    assert found.counted[1] == pytest.approx(1.0)


@pytest.fixture(scope="module")
def score(colours: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Score two pairs of the tree of tinted portraits in a mode; the run's folder."""
    folder = tmp_path_factory.mktemp("modes")
    make_tree(folder / "ffpp")

    def call(mode: str) -> Path:
        out = folder / mode
        options = ["--data", str(folder / "ffpp"), "--out", str(out), f"--{mode}", "--frames", "3"]
        options += ["--limit", "2", "--instruments", colours, "--workers", "1", "--no-references"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bench.ffpp.report.write_report", made_runs.unread_page)
            assert main([*options, "--model", "copy-target", "--model", "copy-source"]) == 0
        return out

    return call


@pytest.fixture(scope="module")
def own(score: Callable[..., Path]) -> Path:
    return score("self")


@pytest.fixture(scope="module")
def cycle(score: Callable[..., Path]) -> Path:
    return score("cycle")


def models(run: Path) -> dict[str, Results]:
    return {name: load(run / name / "results.json") for name in ("copy-target", "copy-source")}


def value(results: Results, key: str) -> float:
    found = results.metrics[key].value
    assert found is not None
    return found


def test_in_self_the_target_is_the_truth_and_nobody_is_ranked(own: Path) -> None:
    results = models(own)
    nothing, pasted = results["copy-target"], results["copy-source"]
    assert set(nothing.metrics) == {
        *("truth_pixel", "truth_identity", "ssim_outside", "psnr_outside", "filter_bank_distance")
    }
    assert value(nothing, "truth_pixel") == value(nothing, "truth_identity") == 0
    assert value(pasted, "truth_pixel") > 1
    assert all(metric.unranked for one in results.values() for metric in one.metrics.values())
    assert nothing.metrics["truth_pixel"].group == "Against the target itself"
    frames = pd.read_parquet(own / "copy-source" / "frames.parquet")
    assert frames["clip"].tolist() == ["000_000"] * 3 + ["001_001"] * 3
    assert frames["source_frame"].tolist() == [4, 0, 0] * 2
    assert check(own / "copy-source").violations == []


def test_a_cycle_is_a_run_of_swaps_with_a_way_back(cycle: Path) -> None:
    nothing, pasted = models(cycle).values()
    # The way there is scored as ever, and says who swapped.
    assert (value(nothing, "id_retrieval"), value(pasted, "id_retrieval")) == (0.0, 100.0)
    assert not nothing.metrics["id_retrieval"].unranked
    # What came back: of doing nothing the JPEG alone, of a pasted face the target's person again.
    assert value(nothing, "truth_identity") < 0.001
    assert value(pasted, "truth_identity") < 0.02
    assert pasted.metrics["truth_identity"].unranked
    assert pasted.metrics["truth_identity"].group == "There and back"
    assert pasted.back is not None
    assert (pasted.back.expected, pasted.back.used) == (6, 6)
    frames = pd.read_parquet(cycle / "copy-source" / "frames.parquet")
    assert frames["again"].tolist() == ["000"] * 3 + ["001"] * 3
    assert frames["again_frame"].tolist() == [4, 0, 0] * 2
    assert check(cycle / "copy-source").violations == []


def test_the_pictures_of_a_cycle_show_what_came_back(cycle: Path) -> None:
    shown = store.read(cycle / "copy-target" / store.PICTURES)
    assert shown
    for picture in shown:
        assert [name for name, _ in picture.parts] == ["source", "target", "swap", "back"]
        assert picture.back is not None
        # The target after a JPEG, and not the very target.
        difference = np.abs(picture.back.astype(int) - picture.target)
        assert 0 < difference.mean() < 6


def test_doing_nothing_in_a_cycle_costs_what_the_jpeg_costs(cycle: Path) -> None:
    frames = pd.read_parquet(cycle / "copy-target" / "frames.parquet")
    for row in frames[frames["clip"] == "000_001"].itertuples():
        image = clip_frames("000")[row.frame].astype(np.float64)
        x0, y0, x1, y1 = np.round(row.box).astype(int)
        difference = np.abs(compressed(image.astype(np.uint8)) - image)[max(0, y0) : y1, max(0, x0) : x1]
        stored = frames.loc[row.Index, "metric/truth_pixel"]
        # The stored clip is a lossless video of these frames, but for its colours.
        assert stored == pytest.approx(difference.mean(), rel=0.1)


def test_a_cycle_is_scored_again_from_its_readings_and_from_its_values(
    cycle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.ffpp.report.write_report", made_runs.unread_page)
    whole, values = tmp_path / "whole", tmp_path / "values"
    assert rescore([str(cycle), "--out", str(whole), "--no-pictures"]) == 0
    assert rescore([str(cycle), "--out", str(values), "--no-pictures", "--keep", "values"]) == 0
    assert rescore([str(values)]) == 0
    before = models(cycle)
    for run in (whole, values):
        for name, results in models(run).items():
            assert results.metrics == before[name].metrics
            assert results.back == before[name].back
    assert check(whole / "copy-source").violations == []


def edit(column: str, change: Any) -> Callable[[Path], None]:
    def frames(data: pd.DataFrame) -> pd.DataFrame:
        data[column] = change(data)
        return data

    return lambda folder: made_runs.edit_frames(folder, frames) and None


def results(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def edited(content: dict[str, Any]) -> None:
        change(content)

    return lambda folder: made_runs.edit_results(folder, edited)


TAMPERED = {
    "not the frame that other_photo asks for": edit("again_frame", lambda data: 2),
    "the other photo is not of the target's person": edit("again", lambda data: data["source"]),
    "metric truth_identity: 6 of 6 frames do not follow from the readings": edit(
        "metric/truth_identity", lambda data: data["metric/truth_identity"] / 2 + 1
    ),
    "failed ways back have no reason": edit("back_status", lambda data: ["no_face", *["ok"] * 5]),
    "frames have a way back or none": edit("back_status", lambda data: [None, *["ok"] * 5]),
    "metric truth_pixel: stated to rank models": results(
        lambda content: content["metrics"]["truth_pixel"].update(unranked=None)
    ),
    "results.json says": results(lambda content: content.update(back=None)),
    "finished swaps cannot be of cycle": results(
        lambda content: content["run"]["model"].update(kind="finished")
    ),
    "the protocol's fields give": results(lambda content: content["run"]["protocol"].pop("mode")),
}


@pytest.mark.parametrize("said", TAMPERED)
def test_a_cycle_that_was_tampered_with_is_caught(cycle: Path, tmp_path: Path, said: str) -> None:
    run = shutil.copytree(cycle, tmp_path / "run")
    TAMPERED[said](run / "copy-source")
    assert any(said in violation for violation in check(run / "copy-source").violations)


def test_self_says_nothing_of_a_swap(own: Path, tmp_path: Path) -> None:
    run = shutil.copytree(own, tmp_path / "run")
    retrieval = {
        "id_retrieval": {**load(run / "copy-target" / "results.json").metrics["truth_pixel"].model_dump()}
    }
    made_runs.edit_results(run / "copy-target", lambda content: content["metrics"].update(retrieval))
    assert any("self says nothing of id_retrieval" in one for one in check(run / "copy-target").violations)


def test_modes_do_not_compare(own: Path, cycle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare([str(own / "copy-source"), str(cycle / "copy-source")]) == 3
    assert "protocol.mode: self against cycle" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["self", "cycle"])
def test_pairs_that_are_of_no_mode_are_refused(mode: Any) -> None:
    given = [Pair("000_001", "000", "001", "000", "001")]
    with pytest.raises(UsageError, match=f"--{mode} chooses another photo"):
        check_mode(Protocol(mode=mode), given, [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--self", "--model", "oracle"], "oracle are finished swaps: leave them away"),
        (["--cycle", "--model", "copy-source", "--video", "4"], "--cycle scores single frames"),
        (["--self", "--cycle"], "not allowed with argument"),
        (["--protocol", "ff++", "--self"], "is of swaps: leave --self away"),
    ],
)
def test_what_no_mode_can_score_is_refused(
    tree: Path,
    add_swaps: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
) -> None:
    add_swaps("oracle", 1)
    try:
        code = main(["--data", str(tree), "--no-references", "--dry-run", *options])
    except SystemExit as ended:
        code = ended.code  # type: ignore[assignment]
    assert code == 2
    assert said in capsys.readouterr().err
