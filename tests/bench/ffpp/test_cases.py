"""Which frames and clips a run keeps for its report, against a plain ranking."""

from __future__ import annotations

import cv2
import numpy as np

from bench.ffpp.cases import Case, Scored, choose, choose_clips, picture


def coded(level: int) -> bytes:
    return cv2.imencode(".png", np.full((4, 4, 3), level, np.uint8))[1].tobytes()


CLIPS = [f"{c:03d}" for c in range(6) for _ in range(4)]
SHOWN = [True] * len(CLIPS)


def test_every_metric_chooses_its_best_median_and_worst() -> None:
    rng = np.random.default_rng(0)
    values = {key: rng.normal(size=len(CLIPS)) for key in ("identity", "pose@other")}
    values["identity"][3] = np.nan
    chosen = choose({key: Scored(key, key == "identity", x) for key, x in values.items()}, SHOWN)
    for key, up in (("identity", True), ("pose@other", False)):
        order = [i for i in np.argsort(-values[key] if up else values[key]) if np.isfinite(values[key][i])]
        wanted = [order[0], order[len(order) // 2], order[-1]]
        assert [choice.i for choice in chosen if choice.key == key] == wanted


def test_frames_without_pictures_are_passed_over() -> None:
    values = {"identity": Scored("Identity", True, np.arange(len(CLIPS), dtype=float))}
    best = choose(values, SHOWN)[0].i
    assert choose(values, [i != best for i in range(len(CLIPS))])[0].i == best - 1


def test_clips_are_chosen_by_their_mean_and_half_empty_ones_passed_over() -> None:
    # the best clip has one picture left
    shown = [i not in (20, 21, 22) for i in range(len(CLIPS))]
    values = np.repeat([0.5, 0.1, 0.9, 0.3, 0.7, 1.0], 4)
    chosen = choose_clips({"identity": Scored("Identity", True, values)}, shown, CLIPS)
    wanted = [("best", "002"), ("median", "000"), ("worst", "001")]
    assert [(choice.case, CLIPS[choice.i]) for choice in chosen] == [one for one in wanted for _ in range(4)]
    assert [choice.i for choice in chosen[:4]] == [8, 9, 10, 11]
    assert chosen[0].headline == "Identity 0.900"
    assert {choice.scope for choice in chosen} == {"clip"}
    assert choose_clips({"pose": Scored("Pose", False, values)}, shown, CLIPS) == []


def test_a_choice_becomes_a_picture_of_its_frame() -> None:
    [choice] = choose({"identity": Scored("Identity", True, np.array([0.5]))}, [True])[:1]
    shown = picture("m", "000", 10, Case(coded(1), coded(2), coded(3), None), choice)
    assert (shown.clip, shown.frame, shown.metric_text) == ("000", 10, "Identity 0.500")
    assert [int(image[0, 0, 0]) for _, image in shown.parts] == [1, 2, 3]
