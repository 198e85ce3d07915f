"""Files of tests that `make fast` leaves out: whole commands, trainings, renders, foreign networks, a browser.

Together they take five sixths of the suite's time (pytest --durations=0). A file that grows past some ten seconds belongs
here; a single test of another file is marked slow where it stands.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import ROOT

FILES = (
    "bench/ablation/test_ablation.py",
    "bench/embedders/test_embedders.py",
    "bench/faults/test_campaign.py",
    "bench/ffpp/test_command.py",
    "bench/ffpp/test_modes.py",
    "bench/ffpp/test_sourceless.py",
    "bench/ffpp/test_video_quality.py",
    "bench/finished/test_crops.py",
    "bench/make_anny/test_regressor.py",
    "bench/regress/test_regress.py",
    "bench/swappers/test_smooth.py",
    "bench/test_rescore.py",
    "bench/validity/test_validity.py",
    "bench/verify/test_tampering.py",
    "bench/verify/test_verify.py",
    "docs/test_marked_parts.py",
    "extending/test_recipes.py",
    "metrics/embedders/test_smoothness.py",
    "metrics/instruments/test_dlib.py",
    "metrics/instruments/test_dlib_network.py",
    "metrics/instruments/test_published_networks.py",
    "reports/test_browser.py",
    "reports/test_command.py",
    "reports/test_first_screen.py",
    "reports/test_html.py",
    "smoothswap/data/test_prepare.py",
    "smoothswap/media/test_video.py",
    "smoothswap/networks/test_injection.py",
    "smoothswap/rendered/test_ffpp.py",
    "smoothswap/rendered/test_on_demand.py",
    "smoothswap/test_export_onnx.py",
    "smoothswap/test_recipe.py",
    "smoothswap/test_swap.py",
    "smoothswap/training/test_dry_run.py",
    "smoothswap/training/test_interruption.py",
    "smoothswap/training/test_training.py",
)


HEAVY = (
    "smoothswap/rendered/world4/",  # compiles kernels for a minute on a fresh machine; no command's default draws it yet
    "bench/make_anny/test_regressor.py::test_a_small_training_writes_weights_that_read",
    "metrics/instruments/test_published_networks.py::test_bf16_agrees_or_is_refused",
    "smoothswap/test_recipe.py::test_killed_and_run_again_the_recipe_gives_the_same_bits",
)
"""What `make heavy` runs and `make test` skips aloud: a minute and a half of two cores, for code that seldom changes."""


def _heavy(item: pytest.Item) -> bool:
    name = item.nodeid.removeprefix("tests/")
    return any(name.startswith(part) for part in HEAVY)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of these files, before the marks are chosen by, and begin with them: a long file that comes last
    leaves a worker idle."""
    slow = {ROOT / "tests" / name for name in FILES}
    if gone := sorted(str(path) for path in slow if not path.is_file()):
        raise pytest.UsageError(
            f"tests/support/slow.py names {', '.join(gone)}: follow the file, or take it off the list"
        )
    for item in items:
        if Path(item.path) in slow:
            item.add_marker(pytest.mark.slow)
        if _heavy(item) and not os.environ.get("SMOOTHSWAP_HEAVY"):
            item.add_marker(pytest.mark.skip(reason="heavy, and seldom changed: make heavy runs it"))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
