"""Rendered clips: the same bits again, the same person all along, the true swap true."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smoothswap.faces.detect import Detector
from smoothswap.media.video import read_frames
from smoothswap.rendered import RenderError, write_ffpp
from smoothswap.rendered.ffpp import Clip, draw_pairs, render_clip


def hashes(root: Path) -> dict[str, str]:
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.suffix in (".mp4", ".json"))
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "tree"
    write_ffpp(root, identities=4, frames=4, size=128, seed=3, workers=2)
    return root


def test_layout_is_that_of_faceforensics(tree: Path) -> None:
    assert sorted(p.name for p in (tree / "original_sequences/youtube/c23/videos").iterdir()) == [
        f"{i:03d}.mp4" for i in range(4)
    ]
    pairs = json.loads((tree / "splits/test.json").read_text())
    swaps = {p.stem for p in (tree / "manipulated_sequences/oracle/c23/videos").iterdir()}
    assert swaps == {f"{a}_{b}" for a, b in pairs} | {f"{b}_{a}" for a, b in pairs}
    assert sorted(name for pair in pairs for name in pair) == ["000", "001", "002", "003"]
    manifest = json.loads((tree / "rendered.json").read_text())
    assert {k: v for k, v in hashes(tree).items() if k.endswith(".mp4")} == manifest["clips"]


def test_same_seed_same_bits_whatever_the_workers(tree: Path, tmp_path: Path) -> None:
    write_ffpp(tmp_path / "again", identities=4, frames=4, size=128, seed=3, workers=1)
    assert hashes(tmp_path / "again") == hashes(tree)
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "again/truth.parquet"), pd.read_parquet(tree / "truth.parquet")
    )


def test_true_swap_carries_the_source_s_face_and_the_target_s_everything_else(tree: Path) -> None:
    truth = pd.read_parquet(tree / "truth.parquet").set_index(["manipulation", "clip", "frame"])
    target, source = json.loads((tree / "splits/test.json").read_text())[0]
    for frame in range(4):
        swap = truth.loc[("oracle", f"{target}_{source}", frame)]
        of_target, of_source = truth.loc[("youtube", target, frame)], truth.loc[("youtube", source, frame)]
        for name in ("pose", "expression", "gaze", "light", "camera"):
            assert np.array_equal(swap[name], of_target[name]), name
        for name in ("shape", "look"):
            assert np.array_equal(swap[name], of_source[name]), name
            assert not np.array_equal(swap[name], of_target[name]), name
        assert swap["hair"] == of_target["hair"]
        assert swap["identity"] == source


def test_true_swap_changes_the_face_and_leaves_the_corners() -> None:
    original, _ = render_clip(Clip(0, 0, 1, 128, 3))
    swapped, _ = render_clip(Clip(1, 0, 1, 128, 3))
    change = np.abs(original[0].astype(int) - swapped[0]).max(-1)
    assert change[50:80, 50:80].mean() > 3
    assert change[:12, :12].max() == 0
    assert change[:12, -12:].max() == 0


def test_detector_sees_most_people_and_lands_on_the_true_landmarks() -> None:
    """dlib's detector is frontal, so a turned head may be missed; where it finds a face, the points must fit."""
    detector, errors = Detector(), []
    for person in range(12):
        frames, rows = render_clip(Clip(person, person, 1, 128, 0))
        points = rows[0]["landmarks"].reshape(68, 2)
        for face in detector.detect(frames[0]):
            eyes = np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0))
            errors.append(np.linalg.norm(face.landmarks - points, axis=1).mean() / eyes)
    assert 11 <= len(errors) <= 12
    assert np.median(errors) < 0.15


def test_motion_moves_and_people_differ(tree: Path) -> None:
    clips = [
        read_frames(tree / f"original_sequences/youtube/c23/videos/{i:03d}.mp4").frames for i in range(4)
    ]
    centre = [np.stack(clip)[:, 40:90, 40:90].astype(float) for clip in clips]
    within = [np.abs(c[0] - c[-1]).mean() for c in centre]
    between = [np.abs(centre[a][0] - centre[b][0]).mean() for a in range(4) for b in range(a)]
    assert min(within) > 0.5
    assert min(between) > max(np.median(within), 5)


def test_a_finished_tree_is_kept_and_a_foreign_folder_is_not_touched(tree: Path, tmp_path: Path) -> None:
    before = hashes(tree)
    write_ffpp(tree, identities=4, frames=4, size=128, seed=3)
    assert hashes(tree) == before
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(RenderError, match="already holds something else"):
        write_ffpp(tmp_path, identities=4, frames=4)
    with pytest.raises(RenderError, match="already holds something else"):
        write_ffpp(tree, identities=4, frames=4, size=128, seed=4)
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"identities": 3}, "even number"),
        ({"identities": 0}, "even number"),
        ({"size": 65}, "even number"),
        ({"size": 20000}, "64 to 1024"),
        ({"frames": 0}, "frames is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_numbers_out_of_range(numbers: dict[str, int], said: str, tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=said):
        write_ffpp(tmp_path / "x", **numbers)
    assert not (tmp_path / "x").exists()


def test_pairs_are_disjoint_and_depend_on_the_seed() -> None:
    pairs = draw_pairs(40, 0)
    assert sorted(i for pair in pairs for i in pair) == list(range(40))
    assert pairs != draw_pairs(40, 1)
