"""Which frames and clips a run keeps for its report, against a plain ranking."""

from __future__ import annotations

import cv2
import numpy as np

from bench.ffpp.cases import Case, Scored, choose, choose_clips


def coded(level: int) -> bytes:
    return cv2.imencode(".png", np.full((4, 4, 3), level, np.uint8))[1].tobytes()


def frames(clips: int = 6, each: int = 4) -> list[tuple[str, int, Case | None]]:
    return [
        (f"{c:03d}", 10 * k, Case(coded(c), coded(50 + k), coded(100 + c), None))
        for c in range(clips)
        for k in range(each)
    ]


def test_every_metric_chooses_its_best_median_and_worst() -> None:
    rng, kept = np.random.default_rng(0), frames()
    values = {key: rng.normal(size=len(kept)) for key in ("identity", "pose@other")}
    values["identity"][3] = np.nan
    scored = {key: Scored(key, key == "identity", x) for key, x in values.items()}
    chosen = choose("m", scored, kept)
    assert [p.case for p in chosen if not p.metric] == ["random", "random"]
    for key, up in (("identity", True), ("pose@other", False)):
        order = [i for i in np.argsort(-values[key] if up else values[key]) if np.isfinite(values[key][i])]
        wanted = [kept[i][:2] for i in (order[0], order[len(order) // 2], order[-1])]
        assert [(p.clip, p.frame) for p in chosen if p.metric == key] == wanted


def test_clips_are_chosen_by_their_mean_and_half_empty_ones_passed_over() -> None:
    kept = frames()
    values = np.repeat([0.5, 0.1, 0.9, 0.3, 0.7, 1.0], 4)
    for i in (20, 21, 22):  # the best clip has one picture left
        kept[i] = (*kept[i][:2], None)
    found = choose_clips("m", {"identity": Scored("Identity", True, values)}, kept)
    wanted = [("best", "002"), ("median", "000"), ("worst", "001")]
    assert [(p.case, p.clip) for p in found] == [one for one in wanted for _ in range(4)]
    assert [p.frame for p in found[:4]] == [0, 10, 20, 30]
    assert found[0].metric_text == "Identity 0.900"
    assert {p.scope for p in found} == {"clip"}
    assert choose_clips("m", {"pose": Scored("Pose", False, values)}, kept) == []
