"""The check of finished swaps, on made thumbnails whose background and moments are known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.data.ffpp import FaceForensics
from bench.data.numbering import Numbering, parse
from bench.errors import DataError
from bench.finished.check import check_finished
from bench.finished.compare import Clips, Finding, Meaning, compare, face_mask, features, hypotheses
from bench.finished.judge import Verdict, judge
from bench.finished.study import outcome
from bench.finished.thumbnails import Thumbnails, first, read
from bench.swappers import create
from smoothswap.faces.face import Face
from tests.support.ffpp_trees import clip_frames, video

SIZE = (90, 160)
N = 60
FACE = np.s_[20:70, 55:105]
MASK = np.ones(SIZE, bool)
MASK[FACE] = False


def film(seed: int, moving: bool = True, noise: int = 0) -> np.ndarray:
    """A room with somebody swaying in it: uint8 [N, h, w]."""
    random = np.random.default_rng(seed)
    room = cv2.GaussianBlur(random.normal(0, 1, SIZE), (0, 0), 2) * 160 + 128
    person = cv2.GaussianBlur(random.normal(0, 1, (70, 90)), (0, 0), 2) * 160 + 128
    frames = []
    random = np.random.default_rng([seed, noise])
    for t in range(N):
        frame = room.copy()
        dx, dy = (6 * np.sin(t / 7 + seed), 3 * np.cos(t / 5)) if moving else (0, 0)
        y, x = round(15 + dy), round(35 + dx)
        frame[y : y + 70, x : x + 90] = person
        frames.append(frame + random.normal(0, 2, SIZE))
    return np.clip(np.array(frames), 0, 255).astype(np.uint8)


def thumbs(pictures: np.ndarray, numbers: list[int] | None = None) -> Thumbnails:
    numbers = list(range(len(pictures))) if numbers is None else numbers
    return Thumbnails(numbers, pictures, len(pictures), (720, 1280), Fraction(25), [], numbers)


def swapped(pictures: np.ndarray, seed: int = 9) -> np.ndarray:
    random = np.random.default_rng(seed)
    made = pictures.copy()
    made[:, 20:70, 55:105] = random.integers(0, 255, (50, 50))
    return np.clip(made * 0.9 + 10 + random.normal(0, 2, made.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def films() -> tuple[np.ndarray, np.ndarray]:
    return film(1), film(2)


def verdict(films: tuple[np.ndarray, np.ndarray], swap: Thumbnails, stated: str = "as-named") -> Verdict:
    target, source = (thumbs(pictures) for pictures in films)
    return judge({"000_001": compare(Clips(target, source, swap, MASK), parse(stated))})


def test_a_right_swap_fits(films: tuple[np.ndarray, np.ndarray]) -> None:
    assert verdict(films, thumbs(swapped(films[0]))).kind == "fits"


@pytest.mark.parametrize(
    ("frames", "numbers", "mend"),
    [
        (range(N), list(range(1, N + 1)), "from-1"),
        (range(1, N), None, "skip-1"),
        (parse("chosen").frames(range(10), N), None, "chosen"),
        (parse("chosen").frames(range(10), N), list(range(1, 11)), "chosen"),
        (range(0, N, 4), None, "every-4"),
        (parse("x25/30").frames(range(70), N), None, "x5/6"),
        (parse("x25/15").frames(range(36), N), None, "x5/3"),
    ],
)
def test_other_numbers_are_refused_with_their_mend(
    films: tuple[np.ndarray, np.ndarray], frames: list[int], numbers: list[int] | None, mend: str
) -> None:
    swap = thumbs(swapped(films[0])[list(frames)], numbers)
    found = verdict(films, swap)
    assert (found.kind, found.mend) == ("wrong", f"--frame-numbers {mend}")
    # With the mend the same files fit.
    assert verdict(films, swap, mend).kind in ("fits", "doubtful")


def test_frames_out_of_order_are_refused(films: tuple[np.ndarray, np.ndarray]) -> None:
    as_text = sorted(range(N), key=str)
    found = verdict(films, thumbs(swapped(films[0])[as_text]))
    assert found.kind == "wrong"
    assert "other moments" in found.text


def test_names_the_other_way_round_are_refused(films: tuple[np.ndarray, np.ndarray]) -> None:
    found = verdict(films, thumbs(swapped(films[1])))
    assert (found.kind, found.mend) == ("wrong", "--order source_target")


def test_names_the_other_way_round_must_show_in_every_clip() -> None:
    """Two unlike clips may resemble each other by chance; then another order would be no mend."""
    size = ((720, 1280), (720, 1280))
    reversed_one = Finding(0.1, 0.6, size=size)
    assert judge({"a": reversed_one, "b": reversed_one}).mend == "--order source_target"
    for other in (Finding(0.1, 0.1, size=size), Finding(0.9, 0.0, 0.9, 0.9, size=size)):
        found = judge({"a": reversed_one, "b": other})
        assert (found.kind, found.mend) == ("wrong", "")
        assert "a shows the background of its source, and b does not" in found.text


def test_another_rate_is_guessed_only_where_the_number_of_frames_comes_nearer_by_it(
    films: tuple[np.ndarray, np.ndarray],
) -> None:
    target, whole = (thumbs(pictures) for pictures in (films[0], swapped(films[0])))
    assert not any(one.kind == "x" for one in hypotheses(whole, target))
    shorter = thumbs(swapped(films[0])[:36])
    assert str(next(one for one in hypotheses(shorter, target) if one.kind == "x")) == "x5/3"
    # A rate that the file declares, and its length bears out, is likelier than frames chosen evenly.
    declared = replace(shorter, rate=Fraction(15))
    first = next(one for one in hypotheses(declared, target) if one.kind in ("x", "chosen"))
    assert str(first) == "x5/3"
    assert next(one for one in hypotheses(shorter, target) if one.kind in ("x", "chosen")).kind == "chosen"


def test_what_cannot_be_told_is_said() -> None:
    still = film(3, moving=False), film(4, moving=False)
    found = verdict(still, thumbs(swapped(film(3, moving=False, noise=1))))
    assert found.kind == "cannot_tell"
    assert "too little moves" in found.text
    painted = verdict(still, thumbs(film(7)))
    assert painted.kind == "cannot_tell"
    assert "repaints everything" in painted.text
    alike = verdict((still[0], still[0]), thumbs(swapped(still[0])))
    assert alike.kind in ("doubtful", "cannot_tell")


def test_another_size_is_refused_unless_it_is_the_targets_smaller() -> None:
    fits = Finding(0.9, 0.0, 0.9, 0.9, 0.0, {"from-1": Meaning(0.5, 3.0, -9.0)}, ((360, 640), (720, 1280)))
    assert judge({"a": fits}).kind == "fits"
    crop = Finding(0.1, 0.0, size=((256, 256), (720, 1280)))
    assert "256 x 256 are not the target's 1280 x 720" in judge({"a": crop}).text


def test_few_clips_of_other_proportions_cost_themselves_and_not_the_run() -> None:
    fits = Finding(0.9, 0.0, 0.9, 0.9, 0.0, {"from-1": Meaning(0.5, 3.0, -9.0)}, ((360, 640), (720, 1280)))
    odd = Finding(0.1, 0.0, size=((299, 256), (256, 256)))
    found = judge({"a": fits, "b": odd, "c": fits})
    assert (found.kind, found.clips) == ("doubtful", 3)
    assert "1 of 3 clips looked at, as b, have frames of other proportions" in found.text
    assert judge({"a": fits, "b": odd}).kind == "wrong"  # half of them is no accident
    reversed_one = Finding(0.1, 0.6, size=((720, 1280), (720, 1280)))
    found = judge({"a": reversed_one, "b": odd, "c": reversed_one})
    assert (found.kind, found.mend) == ("wrong", "--order source_target")


def test_several_clips_tell_what_one_does_not() -> None:
    weak = Finding(0.9, 0.0, 0.6, 0.7, 1.0, {"from-1": Meaning(0.7, 0.8, 2.5)}, ((720, 1280), (720, 1280)))
    assert judge({"a": weak}).kind == "doubtful"
    found = judge(dict.fromkeys("abcd", weak))
    assert (found.kind, found.mend) == ("wrong", "--frame-numbers from-1")


def test_another_clip_is_named() -> None:
    lost = Finding(0.1, 0.0, size=((720, 1280), (720, 1280)))
    found = judge({"000_001": lost}, {"000_001": "017"})
    assert found.kind == "wrong"
    assert "000_001 shows the background of clip 017" in found.text


def test_faces_are_masked_with_a_seam_around_them() -> None:
    box = (400.0, 200.0, 600.0, 400.0)
    mask = face_mask((90, 160), [(Face(box, np.zeros((68, 2), np.float32), 1.0), (720, 1280))])
    rows, columns = np.nonzero(~mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 56, 45, 79)


def test_features_do_not_see_light_contrast_or_the_face() -> None:
    picture = film(1)[:1]
    other = np.clip(picture * 0.6 + 40, 0, 255).astype(np.uint8)
    other[:, 20:70, 55:105] = 255
    a, b = features(picture, MASK), features(other, MASK)
    assert np.allclose(np.linalg.norm(a), 1)
    assert float((a @ b.T).item()) > 0.99


def test_thumbnails_of_a_video_and_of_its_frames_are_alike(tmp_path: Path) -> None:
    frames = clip_frames("000", 5)
    made = read(video(tmp_path / "a.mp4", frames), whole=2)
    (tmp_path / "b").mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / "b" / f"{i}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    files = read(tmp_path / "b", most=3)
    assert (made.count, made.shape, made.pictures.shape) == (5, (280, 280), (5, 160, 160))
    assert (files.numbers, files.named) == ([0, 2, 4], [0, 1, 2, 3, 4])
    assert len(made.whole) == 2
    both = features(made.pictures[[0, 2, 4]], MASK[:, :].repeat(2, 0)[:160]) * features(
        files.pictures, MASK.repeat(2, 0)[:160]
    )
    assert both.sum(1).min() > 0.98
    assert np.array_equal(first(tmp_path / "a.mp4", (160, 160))[0], made.pictures[0])


def test_a_model_that_is_wrong_stops_the_run_or_warns(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = FaceForensics(tree)
    folder = tmp_path / "swaps"
    folder.mkdir()
    # The target with another hue inside, named the wrong way round.
    for target, source in (("000", "001"), ("001", "000")):
        video(folder / f"{source}_{target}.mp4", _scrambled(clip_frames(target), int(target)))
        original = tree / "original_sequences" / "youtube" / "c23" / "videos" / f"{target}.mp4"
        video(original, _scrambled(clip_frames(target), int(target)))
    pairs = data.pairs("test")[:2]
    model = create(f"images:{folder}", data)
    with pytest.raises(DataError, match=r"source_target .*--order source_target .*--check warn"):
        check_finished(data, pairs, [model])
    assert check_finished(data, pairs, [model], refuse=False)["swaps"].kind == "wrong"
    assert "warning: swaps in" in capsys.readouterr().err
    mended = create(f"images:{folder}?order=source_target", data)
    assert check_finished(data, pairs, [mended])["swaps"].kind != "wrong"
    assert check_finished(data, pairs, [create("copy-target", data)]) == {}


def _scrambled(frames: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """A pattern of the clip's own over all but the face."""
    pattern = (
        np.random.default_rng(seed).integers(0, 255, (28, 28, 1), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
    )
    made = []
    for frame in frames:
        frame = frame.copy()
        outside = np.ones(frame.shape[:2], bool)
        outside[30:230, 60:240] = False
        frame[outside] = pattern.repeat(3, 2)[outside]
        made.append(frame)
    return made


@pytest.mark.parametrize(
    ("kind", "mend", "belongs", "said"),
    [
        ("fits", "", None, "fits"),
        ("wrong", "--frame-numbers from-1", None, "refused"),
        ("fits", "", "--order source_target", "silent"),
        ("doubtful", "", "--order source_target", "warned"),
        ("wrong", "--frame-numbers x5/6@0", "--frame-numbers x5/6", "refused with its mend"),
        ("wrong", "", "--frame-numbers x5/6", "refused otherwise"),
    ],
)
def test_the_study_counts_by_what_was_done(kind: str, mend: str, belongs: str | None, said: str) -> None:
    assert outcome(Verdict(kind, "", mend), belongs) == said  # type: ignore[arg-type]
    assert str(Numbering()) == "as-named"
