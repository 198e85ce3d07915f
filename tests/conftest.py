"""Fixtures for every test: where real data lie, if they are there."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support import ROOT, checked_shapes

# Before any of our packages is imported; what a user runs is not wrapped.
checked_shapes.install()

# No test asserts a time: a busy machine must not fail one.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

pytest_plugins = [
    "tests.support.learned",
    "tests.support.skipped",
    "tests.support.slow",
    "tests.support.tiny_runs",
]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real faces and small real networks; SMOOTHSWAP_SHARED names it. Tests skip where it is absent."""
    root = Path(os.environ.get("SMOOTHSWAP_SHARED") or ROOT.parent / "shared") / "data"
    if not root.is_dir():
        pytest.skip(
            "no real faces at hand (set SMOOTHSWAP_SHARED to the folder that holds data/lfw and data/weights)"
        )
    return root


@pytest.fixture(scope="session", autouse=True)
def entry_points_found_once() -> Iterator[None]:
    """The installation's entry points are looked up once for each search path: every run asks four times, at 40 ms each."""
    look_up = importlib.metadata.entry_points

    @functools.lru_cache
    def found(path: tuple[str, ...], **of: str) -> Any:
        return look_up(**of)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.metadata, "entry_points", lambda **of: found(tuple(sys.path), **of))
        yield
