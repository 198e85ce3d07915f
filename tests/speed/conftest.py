"""Speed as a ratio: processor time of a hot path over that of a peer, measured in turns in the same run.

A ratio does not know how fast the machine is, and processor time not how busy it is. With --benchmark-enable the
ratio is held against the committed baseline.json; without, a benchmark only checks that both give the same answer.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tests.support.speed_peers import BASELINE, NEW

ROUNDS = 9
SHORTEST = 0.02  # seconds of one timing; shorter calls are repeated within it


def seconds(call: Callable[[], Any], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times


def measure(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
    """(median ratio ours / peer of ROUNDS rounds in turns, median seconds of ours), after one warm-up each."""
    times = [
        max(1, math.ceil(SHORTEST / max(seconds(call, 1), seconds(call, 1), 1e-7))) for call in (ours, peer)
    ]
    rounds = [(seconds(ours, times[0]), seconds(peer, times[1])) for _ in range(ROUNDS)]
    return float(np.median([a / b for a, b in rounds])), float(np.median([a for a, _ in rounds]))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.fixture
def against(benchmark: Any, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """against(ours, peer): benchmark ours, check its ratio to the peer; returns what ours returns."""
    name = request.node.name.removeprefix("test_")

    def check(ours: Callable[[], Any], peer: Callable[[], Any]) -> Any:
        result = benchmark(ours)
        if benchmark.disabled:
            return result
        ratio, took = measure(ours, peer)
        benchmark.extra_info.update(ratio=round(ratio, 4))
        if out := os.environ.get("SPEED_OUT"):
            with open(out, "a") as file:
                file.write(json.dumps({"name": name, "ratio": ratio, "seconds": took}) + "\n")
            return result
        known = json.loads(BASELINE.read_text())["paths"].get(name)
        if known is None and name in NEW:
            pytest.skip(f"{name} takes {ratio:.3g} times its peer; no baseline yet (make speed-baseline)")
        assert known is not None, f"{name} is not in {BASELINE}; make it anew with make speed-baseline"
        limit = known["limit"]
        assert ratio <= limit, (
            f"{name} takes {ratio:.3g} times its peer, the baseline took {known['ratio']:.3g} and allows {limit:.3g} "
            f"(this run: {took * 1000:.3g} ms). Find what slowed it, or accept it with make speed-baseline"
        )
        return result

    return check
