"""python -m bench.ffpp from end to end on tiny trees: directions, ledger, files, exit codes, bad input."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from bench.ffpp.__main__ import main
from reports.results import Results, load
from tests.support import ROOT, SUPPORT
from tests.support.ffpp_trees import (
    clip_frames,
    faceless,
    manipulated,
    original,
    swapped_frames,
    two_faces,
    video,
)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


@pytest.fixture
def run(tree: Path, tmp_path: Path, colours: str) -> Callable[..., dict[str, Results]]:
    """Run the command in this process on `tree` and load its results by model."""

    def call(*options: str, out: str = "out", code: int = 0) -> dict[str, Results]:
        base = ["--data", str(tree), "--out", str(tmp_path / out), "--frames", "3", "--instruments", colours]
        assert main([*base, "--workers", "1", "--device", "cpu", *options]) == code
        results = {path.parent.name: load(path) for path in (tmp_path / out).glob("*/results.json")}
        for result in results.values():
            assert result.counts.expected == result.counts.used + sum(result.counts.failed.values())
        return results

    return call


def table(tmp_path: Path, model: str, out: str = "out") -> pd.DataFrame:
    return pd.read_parquet(tmp_path / out / model / "frames.parquet")


def value(result: Results, key: str) -> float:
    found = result.metrics[key].value
    assert found is not None
    return found


@pytest.mark.page
def test_the_ends_of_the_scale(
    run: Any, add_swaps: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_swaps("oracle")
    results = run("--model", "copy-source")
    assert set(results) == {"copy-source", "copy-target", "blur", "stranger", "oracle"}
    assert {r.counts.expected for r in results.values()} == {12}
    assert all(r.counts.used == 12 for name, r in results.items() if name != "blur")
    assert all(r.run.model.reference for r in results.values())
    for name in ("blur", "stranger"):  # neither saw the source
        assert value(results[name], "id_retrieval") == 0
    assert (
        value(results["copy-target"], "target_retrieval"),
        value(results["stranger"], "target_retrieval"),
    ) == (100, 0)
    assert (
        "whose person is neither the target nor the source"
        in results["stranger"].run.model.model_extra["stranger"]
    )
    assert value(results["copy-source"], "id_retrieval") == 100
    assert value(results["copy-target"], "id_retrieval") == 0
    assert value(results["oracle"], "id_retrieval") == 100
    assert value(results["oracle"], "truth_pixel") == 0
    assert value(results["oracle"], "truth_identity") == pytest.approx(0, abs=1e-6)
    assert value(results["copy-target"], "truth_pixel") > 20
    assert value(results["copy-target"], "identity_r") == pytest.approx(1)
    printed = capsys.readouterr()
    assert "| *copy-target* (nothing swapped) |" in printed.out
    assert printed.out.rstrip().splitlines()[-1] == f"report: {tmp_path / 'out' / 'report.html'}"
    assert "clip" in printed.err
    assert "<table" in (tmp_path / "out" / "report.html").read_text()


def test_the_frames_table_holds_the_ledger_and_the_readings(run: Any, tmp_path: Path) -> None:
    results = run("--model", "copy-target", "--no-references")
    frames = table(tmp_path, "copy-target")
    key = ["model", "manipulation", "compression", "clip", "target", "source", "cluster", "position"]
    assert list(frames.columns[:12]) == [*key, "frame", "source_frame", "status", "reason"]
    assert list(frames["clip"].unique()) == ["000_001", "001_000", "002_003", "003_002"]
    assert list(frames["frame"]) == [0, 2, 4] * 4
    assert set(frames["source_frame"]) == {0}
    assert (frames["clip"] == frames["target"] + "_" + frames["source"]).all()
    # What is stored is what was scored: a metric can be computed again from the files alone.
    originals = pd.read_parquet(tmp_path / "out" / "originals.parquet")
    name = next(c for c in frames if str(c).startswith("swap/"))
    sources = originals[originals["frame"] == 0].set_index("clip")[name.replace("swap/", "original/")]
    cosine = [
        np.dot(a, sources[s]) / np.linalg.norm(a) / np.linalg.norm(sources[s])
        for a, s in zip(frames[name], frames["source"], strict=True)
    ]
    assert cosine == pytest.approx(frames["metric/identity"].tolist(), abs=1e-5)
    assert np.mean(cosine) == pytest.approx(value(results["copy-target"], "identity"), abs=1e-5)
    # An untouched target frame has, to the bit, the target's own reading.
    own = originals.set_index(["clip", "frame"])[name.replace("swap/", "original/")]
    for row in frames.itertuples():
        assert np.array_equal(frames.loc[row.Index, name], own[row.target, row.frame])


def test_workers_batches_and_other_models_change_no_number(run: Any) -> None:
    models = ("--model", "user_models:paste", "--model", "classical")
    one = run(*models, "--limit", "2", "--batch-size", "1", out="a")
    two = run(*models, "--limit", "2", "--batch-size", "7", "--workers", "2", out="b")
    alone = run("--model", "classical", "--no-references", "--limit", "2", out="c")
    assert one["paste"].metrics == two["paste"].metrics
    assert one["classical"].metrics == two["classical"].metrics == alone["classical"].metrics
    assert (
        one["paste"].run.protocol.hash
        == two["paste"].run.protocol.hash
        == alone["classical"].run.protocol.hash
    )


def test_one_clip_name_in_two_manipulations_never_mixes(run: Any, add_swaps: Any, tree: Path) -> None:
    add_swaps("Deepfakes")
    for target, source in (("000", "001"), ("001", "000"), ("002", "003"), ("003", "002")):
        frames = swapped_frames(target, target)  # this method swaps nothing
        video(manipulated(tree, "FaceSwap", f"{target}_{source}"), frames)
    results = run("--model", "Deepfakes", "--model", "FaceSwap", "--no-references")
    assert value(results["Deepfakes"], "id_retrieval") == 100
    assert value(results["FaceSwap"], "id_retrieval") == 0


def test_a_shorter_swap_is_scored_against_its_own_target_frames(
    run: Any, add_swaps: Any, tmp_path: Path
) -> None:
    add_swaps("NeuralTextures", n=4)  # the targets have five frames
    results = run("--model", "NeuralTextures", "--model", "copy-target", "--no-references")
    assert (
        list(table(tmp_path, "NeuralTextures")["frame"]) == [0, 2, 3] * 4
    )  # even_indices(4, 3): 1.5 goes to 2
    assert list(table(tmp_path, "copy-target")["frame"]) == [0, 2, 4] * 4
    assert results["NeuralTextures"].counts.used == 12


def test_finished_swaps_from_folders_images_and_videos(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swaps = tmp_path / "my swaps"
    video(swaps / "000_001.mp4", swapped_frames("000", "001"))
    (swaps / "001_000").mkdir()
    for number, frame in enumerate(swapped_frames("001", "000")):
        cv2.imwrite(str(swaps / "001_000" / f"{number:04d}.png"), frame[:, :, ::-1])
    cv2.imwrite(str(swaps / "002_003.png"), swapped_frames("002", "003")[0][:, :, ::-1])
    cv2.imwrite(str(swaps / "003_002.png"), swapped_frames("003", "002")[0][:64, :48, ::-1])
    results = run(
        "--model", f"images:{swaps}", "--no-references"
    )  # one of four costs itself, and the run warns of it
    assert "as 003_002, have frames of other proportions" in capsys.readouterr().err
    assert results["my_swaps"].check is not None
    assert results["my_swaps"].check.kind == "doubtful"
    frames = table(tmp_path, "my_swaps").set_index("clip")
    assert frames.loc[["000_001", "001_000", "002_003"], "status"].eq("ok").all()
    assert frames.loc["002_003", "frame"] == 0
    assert frames.loc["003_002", "status"] == "model_error"
    assert "48 x 64, its target 280 x 280" in frames.loc["003_002", "reason"]
    assert results["my_swaps"].metrics["id_retrieval"].n == 8
    assert value(results["my_swaps"], "id_retrieval") == pytest.approx(100 * 7 / 8)


def test_matched_sources_go_frame_by_frame(run: Any, tmp_path: Path) -> None:
    run("--model", "copy-target", "--no-references", "--source-rule", "matched")
    assert list(table(tmp_path, "copy-target")["source_frame"]) == [0, 2, 4] * 4


def test_the_shown_frame_may_be_kept_out_of_the_gallery(run: Any) -> None:
    everything = run("--model", "copy-source", "--no-references", out="a")["copy-source"]
    fewer = run("--model", "copy-source", "--no-references", "--gallery", "without_source_frame", out="b")[
        "copy-source"
    ]
    assert everything.run.protocol.hash != fewer.run.protocol.hash
    one = run(
        "--model",
        "copy-source",
        "--no-references",
        "--gallery",
        "without_source_frame",
        "--frames",
        "1",
        out="c",
    )
    # With one frame a clip nothing of the source is left to be found.
    assert value(one["copy-source"], "id_retrieval") == 0


@pytest.mark.page
def test_failures_of_a_model_are_rows_with_reasons(run: Any, tmp_path: Path) -> None:
    results = run(
        "--model", "user_models:fails", "--model", "user_models:floats", "--model", "user_models:wall"
    )
    assert results["floats"].counts.failed == {"model_error": 12}
    assert results["floats"].counts.used == 0
    assert value(results["floats"], "id_retrieval") == 0  # count_as_wrong
    assert results["floats"].metrics["identity"].value is None
    assert results["wall"].counts.failed == {"no_face": 12}
    fails = table(tmp_path, "fails")
    assert set(fails[fails["target"] == "000"]["reason"]) == {"RuntimeError: too red"}
    assert (fails[fails["target"] == "002"]["status"] == "ok").all()


def test_the_missing_policy(run: Any) -> None:
    counted = run("--model", "user_models:fails", "--no-references", out="a")["fails"]
    left_out = run("--model", "user_models:fails", "--no-references", "--missing", "exclude", out="b")[
        "fails"
    ]
    a, b = counted.metrics["id_retrieval"], left_out.metrics["id_retrieval"]
    assert (a.n, b.n) == (12, counted.counts.used)
    assert a.excluding_missing is not None
    assert b.counting_missing is not None
    assert a.excluding_missing.value == b.value
    assert b.counting_missing.value == a.value


@pytest.mark.page
def test_deepfakedetection_from_end_to_end(tmp_path: Path, colours: str) -> None:
    """The actors' clips and the DeepFakeDetection swaps of them: named, read and scored like the others."""
    root, of = tmp_path / "dfd", {"01": "000", "02": "001"}
    for actor, face in of.items():
        folder = root / "original_sequences" / "actors" / "c23" / "videos"
        video(folder / f"{actor}__talking_against_wall.mp4", clip_frames(face))
    for target, source in (("01", "02"), ("02", "01")):
        name = f"{target}_{source}__talking_against_wall__YVGY8LOK"
        video(manipulated(root, "DeepFakeDetection", name), swapped_frames(of[target], of[source]))
    command = ["--data", str(root), "--sequences", "actors", "--model", "DeepFakeDetection", "--frames", "3"]
    command += ["--out", str(tmp_path / "out"), "--instruments", colours, "--workers", "1", "--device", "cpu"]
    assert main(command) == 0
    result = load(tmp_path / "out" / "DeepFakeDetection" / "results.json")
    assert result.counts.expected == result.counts.used == 6
    assert value(result, "id_retrieval") == 100
    assert value(load(tmp_path / "out" / "copy-target" / "results.json"), "id_retrieval") == 0
    rows = table(tmp_path, "DeepFakeDetection")
    assert set(rows["target"]) == {f"{actor}__talking_against_wall" for actor in of}


@pytest.mark.parametrize("damage", ["empty", "truncated", "no video"])
def test_damaged_originals_are_rows(run: Any, tree: Path, tmp_path: Path, damage: str) -> None:
    path = original(tree, "001")
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "truncated": whole[: len(whole) // 3], "no video": b"text, not a video" * 99}[damage]
    )
    results = run("--model", "copy-source", "--no-references")
    frames = table(tmp_path, "copy-source")
    bad = frames["clip"].isin(["000_001", "001_000"])
    assert (frames[bad]["status"] == "decode_error").all()
    assert frames[bad]["reason"].str.contains("001.mp4").all()
    assert (frames[~bad]["status"] == "ok").all()
    assert results["copy-source"].metrics["id_retrieval"].n == 6  # there was nothing to swap in the others


def test_a_clip_without_faces_is_rows(run: Any, tree: Path, tmp_path: Path) -> None:
    video(original(tree, "003"), faceless())
    results = run("--model", "copy-source", "--no-references")
    assert results["copy-source"].counts.failed == {"no_face": 6}
    reasons = table(tmp_path, "copy-source").groupby("clip")["reason"].first()
    assert reasons["003_002"].startswith("target frame: no face")
    assert reasons["002_003"].startswith("source clip 003: no usable face")


@pytest.mark.page
def test_data_without_any_face_is_still_a_valid_result(run: Any, tree: Path) -> None:
    for clip in ("000", "001", "002", "003"):
        video(original(tree, clip), faceless())
    results = run("--model", "copy-source", "--no-references")
    assert results["copy-source"].counts.failed == {"no_face": 12}
    assert results["copy-source"].metrics == {}


def test_several_faces_follow_the_rule(run: Any, tree: Path, tmp_path: Path) -> None:
    video(original(tree, "000"), [two_faces() for _ in range(5)])
    assert run("--model", "copy-target", "--no-references", out="a")["copy-target"].counts.failed == {}
    single = run("--model", "copy-target", "--no-references", "--faces-rule", "single", out="b")[
        "copy-target"
    ]
    assert single.counts.failed["many_faces"] == 3
    frames = table(tmp_path, "copy-target", "b")
    assert frames[frames["target"] == "000"]["reason"].str.contains("2 faces").all()


@pytest.mark.page
def test_a_half_download(
    run: Any, tree: Path, add_swaps: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_swaps("Deepfakes")
    manipulated(tree, "Deepfakes", "001_000").unlink()
    assert run("--model", "Deepfakes", code=3) == {}
    assert "1 of 4 swaps by Deepfakes are not in" in capsys.readouterr().err
    original(tree, "002").unlink()
    assert run("--model", "Deepfakes", code=3) == {}
    assert "1 of 4 clips are not on the disk: original/c23/002" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    results = run("--model", "Deepfakes", "--no-references", "--skip-missing")
    assert results["Deepfakes"].counts.failed == {"not_available": 9}
    assert results["Deepfakes"].metrics["id_retrieval"].n == 3  # what is not there is not the method's miss
    assert value(results["Deepfakes"], "id_retrieval") == 100


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--modle", "x"], 2, "unknown option '--modle'. Did you mean '--model'"),
        (["--model", "copy-tagret"], 2, "Did you mean 'copy-target'"),
        (["--instruments", "dlb"], 2, "did you mean 'dlib'"),
        (["--instruments", "arcface:/no/such.onnx"], 2, "/no/such.onnx"),
        (["--frames", "0"], 2, "'0' is not a whole number of at least 1"),
        (["--split", "tset"], 2, "unknown split 'tset'"),
        (["--device", "cuda:99"], 2, "try --device cpu"),
        (["--model", "Deepfakes"], 3, "no swaps by Deepfakes"),
        (["--split", "val"], 3, "holds no pairs"),
        (["--compression", "c40"], 3, "it has c23: use --compression"),
        (["--data", "/no/such/folder"], 3, "no data folder /no/such/folder"),
        (["--identity-map", "/no/such.json"], 3, "cannot read /no/such.json"),
        (["--sequences", "actors", "--split", "test"], 2, "has no splits"),
    ],
)
def test_exit_codes(
    tree: Path,
    tmp_path: Path,
    colours: str,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    said: str,
) -> None:
    base = [
        "--data",
        str(tree),
        "--out",
        str(tmp_path / "out"),
        "--instruments",
        colours,
        "--model",
        "copy-target",
    ]
    base = base if "--model" not in options else base[:-2]
    base = base if "--instruments" not in options else [base[i] for i in (0, 1, 2, 3, *range(6, len(base)))]
    try:
        found = main([*base, *options])
    except SystemExit as stopped:
        found = int(str(stopped.code))
    error = capsys.readouterr().err
    assert (found, said in error) == (code, True), error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_dry_run_says_everything_and_writes_nothing(
    run: Any, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--model", "copy-target", "--dry-run")
    said = capsys.readouterr().out
    assert "4 swaps of 4 original clips" in said
    assert "12 expected of each model, 48 in all" in said
    assert "copy-target (frame), blur (frame), stranger (frame), copy-source (frame)" in said
    run("--model", "copy-source", "--dry-run", "--limit", "2")
    assert (
        "copy-source (frame), copy-target (frame), blur (frame)\n" in capsys.readouterr().out
    )  # no third person
    run("--model", "stranger", "--dry-run", "--limit", "2", code=2)
    assert "stranger needs a third person and this run has two" in capsys.readouterr().err
    assert "arcface:colours (reads identity)" in said
    assert "missing      nothing" in said
    original(tree, "002").unlink()
    run("--model", "copy-target", "--dry-run", code=3)
    assert "1 of 4 clips are not on the disk" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_dry_run_without_data_renders_nothing(
    tmp_path: Path, colours: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMOOTHSWAP_CACHE", str(tmp_path / "cache"))
    assert main(["--dry-run", "--out", str(tmp_path / "out"), "--instruments", colours]) == 0
    said = capsys.readouterr().out
    assert "40 swaps" in said
    assert "400 expected of each model" in said
    assert "the rendered faces; a run without --dry-run makes them first" in said
    assert list(tmp_path.iterdir()) == []


def test_json_is_alone_on_standard_output(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run("--model", "copy-target", "--no-references", "--limit", "2", "--json")
    printed = capsys.readouterr()
    [result] = json.loads(printed.out)
    assert Results.model_validate(result).counts.expected == 6
    assert "report: " in printed.err


def test_an_output_folder_that_cannot_be_made(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")
    main_out = run("--model", "copy-target", code=3)
    assert main_out == {}
    assert "cannot write to the output folder" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders (run it as another user)")
def test_a_read_only_output_folder(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir(mode=0o555)
    run("--model", "copy-target", code=3)
    assert "cannot write to the output folder" in capsys.readouterr().err


def command(tree: Path, out: Path, colours: str, *options: str) -> list[str]:
    where = ["--data", str(tree), "--out", str(out), "--instruments", colours]
    how = "--frames 3 --device cpu --no-references --model copy-source"
    return [sys.executable, "-m", "bench.ffpp", *where, *how.split(), *options]


def test_a_full_disk_leaves_no_result(tree: Path, tmp_path: Path, colours: str) -> None:
    """Files may grow to 8 kB only: the write of the readings fails as it does on a full disk."""
    done = subprocess.run(
        command(tree, tmp_path / "out", colours, "--workers", "1"),
        cwd=ROOT,
        env=os.environ
        | {"PYTHONDONTWRITEBYTECODE": "1"},  # Python would keep bytecode that was cut off, and read it
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )
    assert done.returncode == 3, done.stderr
    assert "error: cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


def test_an_interrupted_run_leaves_no_result_and_no_process(tree: Path, tmp_path: Path, colours: str) -> None:
    run = subprocess.Popen(
        command(tree, tmp_path / "out", colours, "--workers", "2", "--model", "classical"),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert run.stderr is not None
    assert b"scoring" in run.stderr.read(9)  # the progress bar: the work has begun
    run.send_signal(signal.SIGTERM)
    error = run.communicate(timeout=60)[1].decode()
    assert run.returncode == 128 + signal.SIGTERM, error
    assert "stopped" in error
    assert "Traceback" not in error
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []
    for _ in range(50):  # its worker processes end with it
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("processes of the stopped run are still there")


def test_a_new_run_replaces_an_older_result_whole(run: Any, tmp_path: Path) -> None:
    run("--model", "copy-target", "--no-references")
    (tmp_path / "out" / "copy-target" / "frames.parquet").write_bytes(b"old")
    results = run("--model", "copy-target", "--no-references", "--limit", "2")
    assert results["copy-target"].counts.expected == 6
    assert len(table(tmp_path, "copy-target")) == 6
    assert not [p for p in (tmp_path / "out").rglob("*") if ".part" in p.name]
