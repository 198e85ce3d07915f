"""Learned quantities: what a test of training asserts, for any seed, thread count and precision.

A quantity that was learned depends on the seed, on the number of threads and on the processor's instruction set, which
all change the order of sums. So a test states it through the fixture `learned`, which `tests/margins.py` runs over all
of them; a bound stands where the worst of what was measured stays several standard deviations away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest


@dataclass(frozen=True)
class Learned:
    """One draw of a learning test; `measured` is the file that values go to instead of being asserted."""

    test: str
    seed: int
    threads: int
    precision: str
    measured: Path | None

    def below(self, name: str, value: float, bound: float) -> None:
        """`value` must lie below `bound`."""
        self._state(name, value, bound, "below")

    def above(self, name: str, value: float, bound: float) -> None:
        """`value` must lie above `bound`."""
        self._state(name, value, bound, "above")

    def _state(self, name: str, value: float, bound: float, side: Literal["below", "above"]) -> None:
        if self.measured is None:
            holds = value < bound if side == "below" else value > bound
            assert holds, f"{name} is {value:.4g}, not {side} {bound:g} (tests/margins.py shows its spread)"
            return
        row = {"test": self.test, "name": name, "value": value, "bound": bound, "side": side}
        with self.measured.open("a") as file:
            file.write(json.dumps(row | {"seed": self.seed}) + "\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("learned", "tests of what was learned (tests/margins.py)")
    group.addoption("--seeds", type=int, default=1, help="draw each learning test with this many seeds")
    group.addoption("--learning-threads", type=int, default=1, help="threads of torch in learning tests")
    group.addoption("--learning-precision", default="float32", help="float32 or bfloat16")
    group.addoption("--measured", type=Path, help="write learned values here and assert none")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    seeds = metafunc.config.getoption("seeds")
    if "learned" in metafunc.fixturenames and seeds > 1:
        metafunc.parametrize("learned", range(seeds), indirect=True, ids=lambda seed: f"seed{seed}")


@pytest.fixture
def learned(request: pytest.FixtureRequest) -> Learned:
    """The draw at hand: seed 0, one thread and float32 unless the options say otherwise."""
    import torch

    options = request.config.option
    torch.set_num_threads(options.learning_threads)
    seed = getattr(request, "param", 0)
    test = (
        request.node.nodeid.replace(f"-seed{seed}]", "]")
        .replace(f"[seed{seed}]", "")
        .replace(f"[seed{seed}-", "[")
    )
    return Learned(test, seed, options.learning_threads, options.learning_precision, options.measured)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what states a learned quantity, so that `-m learning` finds it."""
    for item in items:
        if "learned" in getattr(item, "fixturenames", ()):
            item.add_marker("learning")
