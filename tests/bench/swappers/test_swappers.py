"""The registry of models, and what the built-in ones do to pixels."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.data.ffpp import FaceForensics
from bench.data.pairs import Pair
from bench.errors import DataError, UsageError
from bench.swappers import SwapError, Task, create, create_all
from bench.swappers.apply import Failed, swap
from bench.swappers.classical import Classical
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face
from smoothswap.faces.warp import face_outline, match_colours, warp
from tests.support import SUPPORT
from tests.support.ffpp_trees import MARKS, clip_frames, face_frame

PAIR = Pair("000_002", "000", "002", "000", "002")


@pytest.fixture(scope="module")
def task() -> Task:
    """Target 000 (red, red frame), source 002 (blue, blue frame)."""
    target, source = face_frame("000", 4), face_frame("002")
    detector = Detector()
    return Task(PAIR, 0, target, source, detector.detect(target)[0], detector.detect(source)[0])


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


def test_copy_target_is_the_target(tree: Path, task: Task) -> None:
    [frame] = swap(create("copy-target", FaceForensics(tree)), [task])
    assert np.array_equal(frame, task.target)


@pytest.mark.parametrize("spec", ["copy-source", "user_models:paste", "classical"])
def test_the_target_keeps_its_frame_and_gets_the_sources_face(tree: Path, task: Task, spec: str) -> None:
    [frame] = swap(create(spec, FaceForensics(tree)), [task])
    assert not isinstance(frame, str)
    assert frame.shape == task.target.shape
    assert (frame[:4] == MARKS["000"]).all()  # the target's own red frame, not the source's blue one
    x, y = task.target_face.landmarks[30].astype(int)
    nose = frame[y - 6 : y + 6, x - 6 : x + 6].mean(axis=(0, 1))
    if spec == "classical":  # colours are the target's, content the source's
        assert not np.array_equal(
            frame[y - 6 : y + 6, x - 6 : x + 6], task.target[y - 6 : y + 6, x - 6 : x + 6]
        )
    else:
        assert nose[2] > 1.3 * nose[0]  # blue


def test_blur_takes_the_detail_of_the_face_and_nothing_else(tree: Path, task: Task) -> None:
    """The same at any size of the frame, whoever the source is."""
    model = create("blur", FaceForensics(tree))
    other = replace(task, source=task.target, source_face=task.target_face)
    [frame], [again] = swap(model, [task]), swap(model, [other])
    assert np.array_equal(frame, again)
    assert (frame[:4] == MARKS["000"]).all()
    x, y = task.target_face.landmarks[30].astype(int)
    inner = np.s_[y - 30 : y + 30, x - 30 : x + 30]
    detail = [
        cv2.Laplacian(image[inner].astype(np.float32), cv2.CV_32F).std() for image in (task.target, frame)
    ]
    assert detail[1] < 0.1 * detail[0]
    assert np.abs(frame[inner].mean(axis=(0, 1)) - task.target[inner].mean(axis=(0, 1))).max() < 8
    large = np.asarray(cv2.resize(task.target, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
    face = replace(task.target_face, landmarks=2 * task.target_face.landmarks + 0.5)
    [twice] = swap(model, [replace(task, target=large, target_face=face)])
    small = cv2.resize(twice, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_AREA)
    assert np.abs(small[inner].astype(int) - frame[inner]).mean() < 2


def test_a_stranger_is_pasted_as_the_source_is(tree: Path, task: Task) -> None:
    """What differs is whose face its tasks hold."""
    stranger, source = (create(name, FaceForensics(tree)) for name in ("stranger", "copy-source"))
    assert (stranger.shows, source.shows) == ("stranger", "source")
    assert np.array_equal(swap(stranger, [task])[0], swap(source, [task])[0])


def test_batches_do_not_change_pixels(tree: Path, task: Task) -> None:
    detector = Detector()
    tasks = [
        Task(PAIR, i, f, task.source, detector.detect(f)[0], task.source_face)
        for i, f in enumerate(clip_frames("000"))
    ]
    model = create("user_models:paste", FaceForensics(tree))
    for a, b in zip(swap(model, tasks, 1), swap(model, tasks, 4), strict=True):
        assert np.array_equal(a, b)


def test_an_exception_costs_its_own_frame_only(tree: Path, task: Task) -> None:
    other = Task(PAIR, 1, task.source, task.target, task.source_face, task.target_face)  # a blue target
    outcome = swap(create("user_models:fails", FaceForensics(tree)), [other, task, other])
    assert outcome[1] == Failed("RuntimeError: too red")
    assert not isinstance(outcome[0], Failed)
    assert np.array_equal(outcome[0], outcome[2])


def test_a_wrong_return_says_what_came_and_what_is_expected(tree: Path, task: Task) -> None:
    [reason] = swap(create("user_models:floats", FaceForensics(tree)), [task])
    assert isinstance(reason, Failed)
    assert (
        reason.reason
        == "floats returned float64 [1, 64, 64, 3]; expected uint8 [1, 64, 64, 3] (RGB, 0 to 255)"
    )


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("copy-tagret", "Did you mean 'copy-target'"),
        ("deepfakes", "Did you mean 'Deepfakes'"),
        ("smoothswp", "Did you mean 'smoothswap'"),
        ("user_models:past", "has no 'past'. Did you mean 'paste'"),
        ("no_such_package.x:make", "cannot import 'no_such_package.x'"),
        ("user_models:broken", "OSError: no checkpoint"),
        ("user_models:nothing", r"without the methods of a swapper.*\.swap\(source, target\)"),
        ("smoothswap:no/such.safetensors", "cannot load the model"),
    ],
)
def test_wrong_names_are_one_clear_error(tree: Path, spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        create(spec, FaceForensics(tree))


def test_right_names_without_their_data_are_data_errors(tree: Path) -> None:
    for spec in ("Deepfakes", "oracle", "images:/no/such/folder"):
        with pytest.raises(DataError, match=r"no swaps by|no such folder"):
            create(spec, FaceForensics(tree))


def test_names_may_be_given_and_must_differ(tree: Path) -> None:
    assert create("mine=user_models:paste", FaceForensics(tree)).name == "mine"
    with pytest.raises(UsageError, match=r"two models are called 'paste'.*NAME="):
        create_all(["user_models:paste", "user_models:paste"], FaceForensics(tree))


def test_entry_points_are_models(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "installed" / "their_models-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[smoothswap.models]\ntheir-paste = user_models:paste\n")
    monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
    assert create("their-paste", FaceForensics(tree)).run.size == 64
    with pytest.raises(UsageError, match="Did you mean 'their-paste'"):
        create("their-past", FaceForensics(tree))


def test_a_warp_onto_itself_changes_nothing(task: Task) -> None:
    points = face_outline(task.target_face.landmarks)
    warped, mask = warp(task.target, points, points, task.target.shape[:2])
    inside = mask > 0
    assert inside.sum() > 1000
    assert (
        np.abs(warped[inside].astype(int) - task.target[inside]).max() <= 1
    )  # sub-pixel rounding of the weights


def test_a_warp_follows_an_affine_map_exactly() -> None:
    y, x = np.mgrid[:120, :120]
    ramp = np.stack([x, y, x + y], axis=-1).astype(np.uint8)  # its colours say where a pixel came from
    to = np.array([[20, 20], [90, 25], [30, 80], [85, 95], [50, 50]], np.float32)
    linear, offset = np.array([[0.8, 0.1], [-0.2, 0.7]]), np.array([10.0, 25.0])
    points = (to @ linear.T + offset).astype(np.float32)
    warped, mask = warp(ramp, points, to, (120, 120))
    rows, columns = np.nonzero(mask)
    came_from = np.stack([columns, rows], axis=1) @ linear.T + offset
    assert np.abs(warped[rows, columns, :2] - came_from).max() <= 0.6  # rounding to whole levels


def test_colours_get_the_targets_mean_and_spread() -> None:
    random = np.random.default_rng(0)
    image = random.integers(60, 120, (40, 40, 3), dtype=np.uint8)
    like = random.integers(100, 140, (40, 40, 3), dtype=np.uint8)
    mask = np.full((40, 40), 255, np.uint8)
    mask[:10] = 0
    moved = match_colours(image, like, mask)
    assert np.array_equal(moved[:10], image[:10])
    assert np.allclose(moved[10:].mean((0, 1)), like[10:].mean((0, 1)), atol=2)


def test_a_face_on_a_line_is_a_swap_error(task: Task) -> None:
    flat = np.stack([np.linspace(10, 90, 68), np.full(68, 50)], axis=1).astype(np.float32)
    face = Face((10, 10, 90, 90), flat, 1.0)
    with pytest.raises(SwapError, match=r"no face to warp|too small"):
        Classical().swap_frame(Task(PAIR, 0, task.target, task.source, face, task.source_face))
