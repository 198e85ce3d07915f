"""Fixtures for every test: where real data lie, if they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

from tests.support import ROOT
from tests.support.checked_shapes import PACKAGES

# Before any of these packages is imported; what a user runs is not wrapped.
install_import_hook(PACKAGES, "checked_shapes.checked")
install_import_hook(("metrics",), "checked_shapes.checked_where_shaped")

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
