"""The files of a run by name, and where the models of a run lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

RESULTS = "results.json"
FRAMES, VIDEO = "frames.parquet", "video.parquet"
TRUTH = "truth.parquet"
ORIGINALS, VIDEO_ORIGINALS = "originals.parquet", "video_originals.parquet"
PAIRS, SLICES = "pairs.parquet", "slices.json"
PAGE = "report.html"
OF_RUNS = (ORIGINALS, VIDEO_ORIGINALS, TRUTH, PAIRS, PAGE)
"""What lies in a run's folder beside those of its models."""


def model_folders(run: Path, holding: Sequence[str] = (RESULTS,)) -> list[Path]:
    """The folders of a run's models: `run` itself where it is one, else those right below it, by name.

    Args:
        run: OUT as bench.ffpp wrote it, or OUT/<model>.
        holding: Files, one of which makes a folder that of a model.

    Returns:
        The folders; none where `run` is no run.
    """

    def is_model(folder: Path) -> bool:
        return any((folder / name).is_file() for name in holding)

    if is_model(run):
        return [run]
    if not run.is_dir():
        return []
    # Hidden ones are not there yet, or no longer.
    return sorted(
        path for path in run.iterdir() if path.is_dir() and not path.name.startswith(".") and is_model(path)
    )
