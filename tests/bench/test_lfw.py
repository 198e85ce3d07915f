"""LFW's protocol: by hand on invented distances, and the dlib instrument on real photographs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import DataError
from bench.lfw import central, distances, main, measure, read_pairs, ten_fold
from metrics.embedders.lfw import Pairs
from metrics.instruments import create
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face

PAIRS = "2\t1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBo\t3\nCy\t4\t10\nBo\t1\tCy\t2\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_pairs_are_read_in_folds_same_people_first(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / "pairs.txt", PAIRS))
    assert pairs.first.tolist() == ["Ann_Lee_0001", "Ann_Lee_0001", "Cy_0004", "Bo_0001"]
    assert pairs.second.tolist() == ["Ann_Lee_0002", "Bo_0003", "Cy_0010", "Cy_0002"]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]
    one = read_pairs(write(tmp_path / "dev.txt", "1\nAnn\t1\t2\nAnn\t1\tBo\t3\n"))
    assert one.fold.tolist() == [0, 0]


@pytest.mark.parametrize("text", ["", "two\n", PAIRS[:-12], "1\nAnn 2\nAnn\t1\tBo\t3\n"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"x\.txt"):
        read_pairs(write(tmp_path / "x.txt", text))
    with pytest.raises(DataError, match="cannot read"):
        read_pairs(tmp_path / "none.txt")


def brute_force(distance: np.ndarray, same: np.ndarray, fold: np.ndarray) -> list[tuple[float, float]]:
    """Each fold's least and greatest accuracy over all thresholds that are best on the other folds."""
    accuracy = []
    edges = np.sort(distance[np.isfinite(distance)])
    candidates = [-1.0, *(edges[:-1] + edges[1:]) / 2, 99.0]
    for i in range(fold.max() + 1):
        others = [(d, s) for d, s in zip(distance[fold != i], same[fold != i], strict=True) if np.isfinite(d)]
        hits = [sum((d <= t) == s for d, s in others) for t in candidates]
        best = [t for t, h in zip(candidates, hits, strict=True) if h == max(hits)]
        own = list(zip(distance[fold == i], same[fold == i], strict=True))
        shares = [np.mean([np.isfinite(d) and (d <= t) == s for d, s in own]) for t in best]
        accuracy.append((min(shares), max(shares)))
    return accuracy


def test_ten_folds_agree_with_brute_force() -> None:
    rng = np.random.default_rng(0)
    same, fold = np.tile([True] * 6 + [False] * 6, 5), np.repeat(np.arange(5), 12)
    distance = np.round(rng.normal(1.0 - 0.6 * same, 0.4), 1)  # rounded: ties
    distance[[3, 9, 30]] = np.nan
    for found, (low, high) in zip(
        ten_fold(distance, same, fold), brute_force(distance, same, fold), strict=True
    ):
        assert low - 1e-12 <= found <= high + 1e-12


def test_a_photo_without_a_face_makes_its_pairs_wrong() -> None:
    same, fold = np.tile([True, False], 20), np.repeat([0, 1], 20)
    distance = np.where(same, 0.1, 0.9)
    assert ten_fold(distance, same, fold).tolist() == [1, 1]
    for i in (0, 1):  # a pair of one person, a pair of two
        missed = distance.copy()
        missed[i] = np.nan
        assert ten_fold(missed, same, fold).tolist() == [0.95, 1]
    pairs = Pairs(np.array(["a", "a"]), np.array(["b", "c"]), np.array([True, False]), np.array([0, 0]))
    rows = {"a": np.array([0.0, 0], np.float32), "b": np.array([3.0, 4], np.float32)}
    assert distances(pairs, rows)[0] == 5
    assert np.isnan(distances(pairs, rows)[1])
    with pytest.raises(ValueError, match="two folds or more"):
        ten_fold(distance, same, np.zeros(40, int))


def test_the_central_face_counts_not_the_largest() -> None:
    frame, points = np.zeros((250, 250, 3), np.uint8), np.zeros((68, 2), np.float32)
    large, middle = Face((0, 0, 120, 120), points, 3.0), Face((90, 90, 160, 160), points, 0.1)
    assert central([large, middle], frame) is middle
    assert central([], frame) is None


@pytest.fixture
def photos(shared_data: Path) -> tuple[Path, Path]:
    folder = Path(os.environ.get("SMOOTHSWAP_LFW") or shared_data / "lfw/images_deepfunneled")
    if not folder.is_dir():
        pytest.skip("LFW's photos are not unpacked (set SMOOTHSWAP_LFW to the folder images_deepfunneled)")
    return folder, shared_data / "lfw/meta/pairs.txt"


def test_dlib_on_the_first_pairs_of_view_2(photos: tuple[Path, Path]) -> None:
    """120 pairs of two folds; all 6,000 give 0.9885 +- 0.0017 (python -m bench.lfw, five minutes on one core)."""
    every = read_pairs(photos[1])
    keep = np.concatenate([np.arange(30) + start for start in (0, 300, 600, 900)])
    pairs = Pairs(every.first[keep], every.second[keep], every.same[keep], every.fold[keep])
    values = measure(pairs, photos[0], [create("dlib")])["dlib/identity"]
    assert values["accuracy_l2"] >= 0.96
    assert values["auc_l2"] > 0.99
    assert values["missing"] <= 2


def test_a_second_look_finds_what_the_first_one_missed(photos: tuple[Path, Path]) -> None:
    with Image.open(photos[0] / "Abdoulaye_Wade/Abdoulaye_Wade_0003.jpg") as image:
        frame = np.asarray(image.convert("RGB"))
    assert Detector().detect(frame) == []
    second = Detector(last_threshold=-0.5)
    assert second.parameters["last_threshold"] == -0.5
    face = central(second.detect(frame), frame)
    assert face is not None
    assert np.abs(face.landmarks.mean(0) - 125).max() < 40
    assert "last_threshold" not in Detector().parameters


def test_the_command_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = write(tmp_path / "pairs.txt", PAIRS)
    assert main(["--photos", str(tmp_path), "--pairs", str(pairs)]) != 0
    assert "cannot read the photo" in capsys.readouterr().err
    assert main(["--photos", str(tmp_path), "--pairs", str(pairs), "--instrument", "dlb"]) != 0
    assert "did you mean 'dlib'" in capsys.readouterr().err
