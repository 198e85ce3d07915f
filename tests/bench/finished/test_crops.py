"""Swaps that are aligned crops: where they were cut, the check of that, and their way into the target's frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.data.ffpp import FaceForensics
from bench.data.numbering import AS_NAMED
from bench.data.templates import TEMPLATES, Aligned
from bench.errors import DataError, UsageError
from bench.ffpp.__main__ import main
from bench.finished.check import check_finished
from bench.finished.crops import CropCheck, Held, border, judge_crops
from bench.finished.judge import APART
from bench.swappers import create
from bench.verify.__main__ import main as verify
from reports.results import load
from smoothswap.faces.align import ffhq_affine, five_points, transform_points
from smoothswap.faces.detect import Detector
from tests.support.ffpp_trees import clip_frames, original, video

PAIRS = (("000", "001"), ("001", "000"), ("002", "003"), ("003", "002"))


def face_at(five: np.ndarray) -> np.ndarray:
    """68 landmarks whose five points are these."""
    points = np.zeros((68, 2), np.float32)
    points[36:42], points[42:48], points[30], points[48], points[54] = five
    return points


@pytest.mark.parametrize(
    ("template", "size", "five"),
    [
        ("arcface", 112, [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366],
                          [41.5493, 92.3655], [70.7299, 92.2041]]),
        ("ffhq5", 512, [[192.98138, 239.94708], [318.90277, 240.1936], [256.63416, 314.01935],
                        [201.26117, 371.41043], [313.08905, 371.15118]]),
        ("hififace", 112, [[39.730, 51.138], [72.270, 51.138], [56.0, 68.493], [42.463, 87.010], [69.537, 87.010]]),
        ("simswap", 112, [[39.730, 51.138], [72.270, 51.138], [56.0, 68.493], [42.463, 87.010], [69.537, 87.010]]),
        ("simswap", 112, [[54.796, 49.990], [60.771, 50.115], [76.673, 69.007], [55.388, 89.702], [61.257, 89.050]]),
        ("simswap", 112, [[45.031, 50.118], [65.568, 50.872], [39.677, 68.111], [45.177, 86.190], [64.246, 86.758]]),
    ],
)  # fmt: skip
def test_five_points_go_to_the_published_ones_at_every_size(
    template: str, size: int, five: list[list[float]]
) -> None:
    """A face that lies as the template says is cut from where it lies, at twice the size twice as large."""
    landmarks = face_at(np.array(five))
    assert Aligned(template, size).affine(landmarks) == pytest.approx(np.eye(2, 3), abs=1e-4)
    twice = Aligned(template, 2 * size).affine(landmarks)
    assert transform_points(twice, five_points(landmarks)) == pytest.approx(2 * np.array(five), abs=1e-3)


def test_ffhq_is_the_square_and_a_crop_of_a_frame_is_cut_there() -> None:
    frame = clip_frames("000", 1)[0]
    landmarks = Detector().detect(frame)[0].landmarks
    assert np.array_equal(Aligned("ffhq", 256).affine(landmarks), ffhq_affine(landmarks, 256))
    for template, size in {
        "ffhq": 128,
        "arcface": 112,
        "ffhq5": 128,
        "simswap": 128,
        "hififace": 128,
    }.items():
        aligned = Aligned(template, size)
        crop = aligned.cut(frame, landmarks)
        direct = cv2.warpAffine(frame, aligned.affine(landmarks), (size, size), flags=cv2.INTER_LINEAR)
        inside = np.s_[20:-20, 20:-20]
        assert np.abs(crop[inside].astype(int) - direct[inside]).mean() < 6, template


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("?template=fhq", r"no template 'fhq'.*ffhq"),
        ("?template=arcface&size=100", r"multiple of 112 or of 128.*size=112"),
        ("?size=big", r"number of pixels, not 'big'"),
        ("?size=8", r"32 to 4096 pixels, not 8"),
        ("?shape=2", r"'shape=2' is no option"),
    ],
)
def test_a_wrong_spec_is_one_line(tree: Path, tmp_path: Path, spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        create(f"crops:{tmp_path}{spec}", FaceForensics(tree))


def test_the_spec_says_how_the_crops_were_cut(tree: Path, tmp_path: Path) -> None:
    data = FaceForensics(tree)
    mine = create(f"mine=crops:{tmp_path}?template=simswap&order=source_target", data)
    assert (mine.name, mine.kind, str(mine.run.aligned)) == ("mine", "finished", "template=simswap&size=224")
    assert (mine.info["template"], mine.info["crop_size"], mine.info["order"]) == (
        "simswap",
        224,
        "source_target",
    )
    with pytest.raises(DataError, match="no such folder"):
        create(f"crops:{tmp_path}/none", data)


def held(target: dict[str, float], source: dict[str, float], shape: tuple[int, int] = (256, 256)) -> Held:
    return Held(shape, dict.fromkeys(TEMPLATES, 0.1) | target, dict.fromkeys(TEMPLATES, 0.1) | source)


@pytest.mark.parametrize(
    ("found", "kind", "mend", "said"),
    [
        (held({"ffhq": 0.9, "ffhq5": 0.91}, {}), "fits", "", "numbers are not checked"),
        (held({"ffhq": 0.9, "ffhq5": 0.95}, {}), "doubtful", "", "a little more by ffhq5 (0.95"),
        (
            held({"arcface": 0.9, "ffhq": 0.3}, {}),
            "wrong",
            "template=arcface&size=256",
            "by template arcface",
        ),
        (held({}, {"ffhq": 0.9}), "wrong", "--order source_target", "source's own crop"),
        (held({}, {}), "wrong", "", "by any template"),
        (held({}, {}, (224, 224)), "wrong", "template=ffhq&size=224", "are 224 x 224, not 256 x 256"),
        (held({}, {}, (720, 1280)), "wrong", "--model images:DIR", "1280 x 720 and no square crops"),
    ],
)
def test_the_verdict_on_crops(found: Held, kind: str, mend: str, said: str) -> None:
    verdict = judge_crops({"000_001": found}, Aligned("ffhq", 256), "DIR")
    assert verdict.kind == kind
    assert mend in verdict.mend
    assert bool(mend) == bool(verdict.mend)
    assert said in verdict.text


def patterned(clip: str, n: int = 2) -> list[np.ndarray]:
    """The clip's frames with a pattern of its own about the face."""
    pattern = np.random.default_rng(int(clip)).integers(0, 255, (20, 20, 3), np.uint8)
    large = cv2.resize(pattern, (280, 280), interpolation=cv2.INTER_CUBIC)
    frames = []
    for frame in clip_frames(clip, n):
        outside = np.ones(frame.shape[:2], bool)
        outside[40:220, 70:230] = False
        frames.append(np.where(outside[..., None], large, frame))
    return frames


@pytest.fixture
def crops(tree: Path, tmp_path: Path) -> Path:
    """Crops of other people's tints in the frames of four targets, by FFHQ's square of 128 pixels."""
    detector = Detector()
    for target, source in PAIRS:
        frames = patterned(target)
        video(original(tree, target), frames)
        folder = tmp_path / "crops" / f"{target}_{source}"
        folder.mkdir(parents=True)
        for i, (frame, other) in enumerate(zip(frames, clip_frames(source, 2), strict=True)):
            swap = frame.copy()
            swap[40:220, 70:230] = other[40:220, 70:230]
            crop = Aligned("ffhq", 128).cut(swap, detector.detect(frame)[0].landmarks)
            cv2.imwrite(str(folder / f"{i}.png"), cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))
    return tmp_path / "crops"


def test_the_check_finds_the_template_the_size_and_the_order(tree: Path, crops: Path) -> None:
    data = FaceForensics(tree)
    pairs = data.pairs("test")[:1]

    def refused(options: str) -> str:
        with pytest.raises(DataError) as error:
            check_finished(data, pairs, [create(f"crops:{crops}?{options}", data)])
        return str(error.value)

    fits = check_finished(data, pairs, [create(f"crops:{crops}?size=128", data)])["crops"]
    assert (fits.kind, fits.clips) == ("fits", 1)
    assert f"--model 'crops:{crops}?template=ffhq&size=128'" in refused("size=256")
    assert f"--model 'crops:{crops}?template=ffhq&size=128'" in refused("template=arcface&size=128")
    assert "--order source_target" in refused("size=128&order=source_target")
    found = CropCheck(data).hold(pairs[0], crops / "000_001", AS_NAMED)
    assert found is not None
    assert found.target["ffhq"] > 0.9 > 0.9 - APART > found.target["arcface"]
    assert max(found.source.values()) < found.target["ffhq"] - APART


def test_light_and_contrast_do_not_change_a_border() -> None:
    frame = patterned("001", 1)[0]
    other = np.clip(frame * 0.6 + 40, 0, 255).astype(np.uint8)
    other[60:200, 60:200] = 0
    assert float(border(frame) @ border(other)) > 0.99


def test_crops_are_scored_beside_their_targets_own_and_verified(
    tree: Path, crops: Path, tmp_path: Path, colours: str
) -> None:
    """The target's own crops, handed in, are no swap at all; those of the swaps are found as the source."""
    out = tmp_path / "out"
    detector = Detector()
    for target, source in PAIRS:
        folder = tmp_path / "own" / f"{target}_{source}"
        folder.mkdir(parents=True)
        for i, frame in enumerate(patterned(target)):
            crop = Aligned("arcface", 112).cut(frame, detector.detect(frame)[0].landmarks)
            cv2.imwrite(str(folder / f"{i}.png"), cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))
    models = [f"swaps=crops:{crops}?size=128", f"own=crops:{tmp_path / 'own'}?template=arcface&size=112"]
    options = [
        "--data",
        str(tree),
        "--out",
        str(out),
        "--frames",
        "2",
        "--instruments",
        colours,
        "--workers",
        "1",
    ]
    assert (
        main([*options, "--no-references", *(part for model in models for part in ("--model", model))]) == 0
    )
    own, swaps = (load(out / name / "results.json") for name in ("own", "swaps"))
    assert own.counts.used == swaps.counts.used == 8
    assert own.metrics["target_identity"].value == 1.0
    assert own.metrics["ssim_outside"].value == 1.0
    assert swaps.metrics["id_retrieval"].value == 100.0
    assert swaps.check is not None
    assert swaps.check.kind == "fits"
    assert swaps.run.model.model_extra is not None
    assert swaps.run.model.model_extra["template"] == "ffhq"
    assert verify([str(out)]) == 0
