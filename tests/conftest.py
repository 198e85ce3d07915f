"""Fixtures for every test: where real data lie, if they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import ROOT

pytest_plugins = ["tests.support.learned", "tests.support.skipped", "tests.support.tiny_runs"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real faces and small real networks; SMOOTHSWAP_SHARED names it. Tests skip where it is absent."""
    root = Path(os.environ.get("SMOOTHSWAP_SHARED") or ROOT.parent / "shared") / "data"
    if not root.is_dir():
        pytest.skip(
            "no real faces at hand (set SMOOTHSWAP_SHARED to the folder that holds data/lfw and data/weights)"
        )
    return root
