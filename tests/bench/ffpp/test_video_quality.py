"""Flicker from frames in a row and picture quality, from bench.ffpp to bench.verify."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.ffpp.__main__ import main
from bench.verify.__main__ import check
from bench.verify.__main__ import main as verify
from reports.results import Results, load
from tests.support.ffpp_trees import faceless, make_tree, manipulated, swapped_frames, video, write_swaps

VIDEO = {"identity_consistency", "expression_flicker", "pose_flicker", "warping_error"}


def scored(tree: Path, out: Path, colours: str, *options: str) -> dict[str, Results]:
    given = ["--data", str(tree), "--out", str(out), "--frames", "3", "--instruments", f"{colours},anny"]
    assert (
        main(
            [
                *given,
                "--workers",
                "1",
                "--device",
                "cpu",
                "--no-references",
                "--model",
                "copy-target",
                *options,
            ]
        )
        == 0
    )
    return {path.parent.name: load(path) for path in out.glob("*/results.json")}


@pytest.fixture(scope="module")
def once(colours: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over frames 0 to 3 in a row. Of the swaps "mine" one clip has no face in frame 2."""
    folder = tmp_path_factory.mktemp("video")
    tree = make_tree(folder / "ffpp")
    write_swaps(tree, "mine")
    lost = swapped_frames("000", "001")
    lost[2] = faceless(1)[0]
    video(manipulated(tree, "mine", "000_001"), lost)
    scored(tree, folder / "run", colours, "--video", "4", "--model", "mine")
    return folder / "run"


@pytest.fixture
def made(once: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be changed."""
    return shutil.copytree(once, tmp_path / "run")


def test_video_and_quality_are_measured_stored_and_recounted(
    made: Path, tree: Path, tmp_path: Path, colours: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results = {path.parent.name: load(path) for path in made.glob("*/results.json")}
    still, mine = results["copy-target"].metrics, results["mine"].metrics
    assert {*VIDEO, "filter_bank_distance"} <= set(mine)
    assert [still[key].value for key in ("expression_flicker", "pose_flicker", "warping_error")] == [0, 0, 0]
    assert still["filter_bank_distance"].value == pytest.approx(0, abs=1e-9)
    assert mine["filter_bank_distance"].value > 0.01  # another tint
    # Outside the face copy-target changes nothing; "mine" has another tint there. A picture without a face is a picture.
    assert [still[key].value for key in ("ssim_outside", "psnr_outside")] == [1, 60]
    assert 10 < mine["psnr_outside"].value < 50
    assert (mine["psnr_outside"].missing, mine["psnr_outside"].n) == (0, mine["expression"].n + 1)
    assert mine["arc"].value == mine["identity"].value  # the paper's name for the same, where ArcFace reads
    for metrics in (still, mine):
        for key, metric in metrics.items():  # every metric, under every policy
            assert metric.excluding_missing is not None, key
            assert metric.counting_missing is not None, key
            assert metric.missing is not None, key
            assert metric.counting_missing.n == metric.excluding_missing.n + metric.missing, key

    rows = pd.read_parquet(made / "mine" / "video.parquet")
    assert rows.groupby("clip")["frame"].apply(list).to_dict() == {
        "000_001": [0, 1, 2, 3],
        "001_000": [0, 1, 2, 3],
        "002_003": [0, 1, 2, 3],
        "003_002": [0, 1, 2, 3],
    }
    assert rows.loc[rows["status"] != "ok", ["clip", "frame"]].to_numpy().tolist() == [["000_001", 2]]
    # 12 frames follow another; the lost one takes itself and the frame after it along.
    assert (mine["pose_flicker"].n, mine["pose_flicker"].missing) == (10, 2)

    # A lost face is a picture, too: only first frames have no warping error.
    assert (mine["warping_error"].n, mine["warping_error"].missing) == (12, 0)

    capsys.readouterr()
    assert verify([str(made), "--quiet"]) == 0, capsys.readouterr().out
    plain = scored(tree, tmp_path / "plain", colours)["copy-target"]
    assert not VIDEO & set(plain.metrics)
    assert not (tmp_path / "plain" / "copy-target" / "video.parquet").exists()
    assert plain.metrics == {key: metric for key, metric in still.items() if key not in VIDEO}


@pytest.mark.parametrize(
    ("file", "column", "said"),
    [
        ("video.parquet", "metric/pose_flicker", "metric pose_flicker: "),
        ("video.parquet", "missing/pose_flicker", "metric pose_flicker: what its missing faces count as"),
        ("frames.parquet", "missing/shape", "metric shape: what its missing faces count as"),
        ("frames.parquet", "picture/filter_bank", "metric filter_bank_distance: value"),
    ],
)
def test_changed_numbers_are_named(made: Path, file: str, column: str, said: str) -> None:
    path = made / "mine" / file
    data = pd.read_parquet(path)
    assert data[column].notna().any()
    data[column] = [x * 1.01 if isinstance(x, np.ndarray) or np.isfinite(x) else None for x in data[column]]
    data.to_parquet(path, index=False)
    violations = check(made / "mine").violations
    assert any(said in v for v in violations), violations
    assert any(f"hash: {file}" in v for v in violations)


def test_a_shorter_clip_is_checked_beside_the_target_frames_that_it_has(
    tree: Path,
    tmp_path: Path,
    colours: str,
    add_swaps: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_swaps("mine")
    video(manipulated(tree, "mine", "003_002"), swapped_frames("003", "002", 4))
    scored(tree, tmp_path / "run", colours, "--model", "mine", "--video", "3")
    rows = pd.read_parquet(tmp_path / "run" / "mine" / "video.parquet")
    assert rows.groupby("clip")["frame"].apply(list)["003_002"] == [0, 1, 2]
    capsys.readouterr()
    assert verify([str(tmp_path / "run")]) == 0
    assert "not checked" not in capsys.readouterr().err


def test_a_run_that_claims_video_without_its_table_is_found_out(made: Path) -> None:
    (made / "mine" / "video.parquet").unlink()
    assert any("there is no video.parquet" in v for v in check(made / "mine").violations)


def test_everything_counts_where_the_user_says_so(
    tree: Path,
    tmp_path: Path,
    colours: str,
    add_swaps: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_swaps("mine")
    lost = swapped_frames("000", "001")
    lost[2] = faceless(1)[0]
    video(manipulated(tree, "mine", "000_001"), lost)
    results = scored(tree, tmp_path / "run", colours, "--model", "mine", "--missing", "count_everywhere")
    for metric in results["mine"].metrics.values():
        assert metric.counting_missing is not None
        assert (metric.missing_policy, metric.value) == ("count_as_wrong", metric.counting_missing.value)
    capsys.readouterr()
    assert verify([str(tmp_path / "run"), "--quiet"]) == 0, capsys.readouterr().out


def test_options_of_video_and_inception(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--data", str(tree), "--video", "1"])
    assert "at least 2" in capsys.readouterr().err
    wrong = tmp_path / "inception.pth"
    assert main(["--data", str(tree), "--inception", str(wrong), "--out", str(tmp_path / "o")]) == 2
    assert "give pt_inception-2015-12-05" in capsys.readouterr().err
    assert main(["--data", str(tree), "--lpips", str(wrong), "--out", str(tmp_path / "o")]) == 2
    assert "expected the state of lpips.LPIPS" in capsys.readouterr().err
    assert main(["--data", str(tree), "--video", "4", "--dry-run", "--model", "copy-target"]) == 0
    assert "4 in a row of each clip besides" in capsys.readouterr().out
