"""Rendering says nothing that is no news: neither this process nor its workers, and errors are not swallowed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smoothswap.rendered.start import NO_DRIVER, without_lines


def test_rendering_prints_no_warning(tmp_path: Path) -> None:
    """Two workers render; standard error holds the progress bar alone."""
    words = [
        "--out",
        str(tmp_path / "faces"),
        "--people",
        "2",
        "--views",
        "1",
        "--size",
        "16",
        "--workers",
        "2",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "smoothswap.rendered.dataset", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == ""
    said = [line for line in run.stderr.replace("\r", "\n").splitlines() if line.strip()]
    assert said
    assert all(line.startswith("rendering people") for line in said), run.stderr


def test_only_the_lines_named_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    with without_lines(NO_DRIVER):
        os.write(2, b"Warp CUDA warning: " + NO_DRIVER + b". GPU execution will not be available.\n")
        os.write(2, b"Warp CUDA error: the driver is too old\n")
    assert capfd.readouterr().err == "Warp CUDA error: the driver is too old\n"


def test_what_was_said_before_a_failure_comes_out(capfd: pytest.CaptureFixture[str]) -> None:
    @without_lines(NO_DRIVER)
    def failing() -> None:
        os.write(2, b"the last words\n")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert capfd.readouterr().err == "the last words\n"
