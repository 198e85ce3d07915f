"""Fixtures for every test: where real data lie, if they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

CHECKED = ("metrics",)
"""Packages whose shapes of arrays, as their signatures name them, are checked at every call of the test run."""
install_import_hook(CHECKED, "typechecking.check")

pytest_plugins = ["learned"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real faces and small real networks; SMOOTHSWAP_SHARED names it. Tests skip where it is absent."""
    root = (
        Path(os.environ.get("SMOOTHSWAP_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"
    )
    if not root.is_dir():
        pytest.skip(
            "no real faces at hand (set SMOOTHSWAP_SHARED to the folder that holds data/lfw and data/weights)"
        )
    return root
