"""The judge of an ablation study on rendered faces: its two ends, and pairs that it cannot read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.ablation.judge import Judge, judge_run
from bench.ablation.training import drop_after
from bench.errors import UsageError
from smoothswap.checkpoint import write_tensors
from smoothswap.rendered.dataset import person_views


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    """Three pairs of rendered people at 64 px; the last target is a grey square, no face."""
    people = [person_views(person, 2, 64, 77) for person in range(3)]
    source, other = (np.stack([views[i] for views in people]) for i in (0, 1))
    target = source[[1, 2, 0]].copy()
    target[2] = 128
    return {"source": source, "target": target, "other": other}


@pytest.fixture(scope="module")
def judge(pictures: dict[str, np.ndarray]) -> Judge:
    return Judge("dlib", pictures)


def test_the_ends_of_the_scale(judge: Judge, pictures: dict[str, np.ndarray]) -> None:
    untouched, same = judge.scale.untouched, judge.scale.same
    assert np.isnan(untouched).tolist() == [False, False, True]  # read for no arm
    assert (untouched[:2] > same[:2]).all()
    np.testing.assert_array_equal(judge.distance(pictures["target"]), untouched)
    half = (pictures["source"] // 2 + pictures["target"] // 2).astype(np.uint8)
    assert (judge.distance(half)[:2] < untouched[:2]).all()


def test_a_run_is_read_once_and_anew_after_its_checkpoint(
    judge: Judge, pictures: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = torch.zeros(3)
    for step, swaps in ((2, pictures["target"]), (4, pictures["other"])):
        tensors = {"id": rows, "chg": rows, "swap": torch.from_numpy(swaps)}
        write_tensors(tmp_path / "held-out" / f"{step:07d}.safetensors", tensors, {"step": step})
    first = judge_run(judge, tmp_path)
    assert list(first) == [2, 4]
    np.testing.assert_array_equal(first[2], judge.scale.untouched)
    monkeypatch.setattr(judge, "distance", lambda swaps: pytest.fail("read again"))
    np.testing.assert_array_equal(judge_run(judge, tmp_path)[4], first[4])
    drop_after(tmp_path, 2)
    assert not (tmp_path / "judged.safetensors").exists()
    assert [p.stem for p in (tmp_path / "held-out").iterdir()] == ["0000002"]


def test_an_instrument_that_reads_no_identity_is_refused(pictures: dict[str, np.ndarray]) -> None:
    with pytest.raises(UsageError, match="choose one that reads identity"):
        Judge("anny", pictures)
