"""Training curves: the log of a training run (metrics.csv of python -m smoothswap.train) as figures."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt

from reports.figures import INK, LINE, SERIES, SOFT, STYLE, inline, short
from reports.plots import DASHES, STEPS, Plot, panel
from reports.results import ResultsError
from smoothswap.plumbing.texts import read_json

LOG = "metrics.csv"
Floats = npt.NDArray[np.float64]

TITLES = {
    "loss": "Loss of the embedder",
    "id": "Identity loss",
    "chg": "Change loss",
    "adv": "Adversarial loss",
    "d": "Loss of the discriminator",
    "r1": "R1 penalty",
    "grad_norm": "Norm of the gradient",
    "val_id": "Identity loss, held out",
    "val_chg": "Change loss, held out",
    "retrieval": "Retrieval of the source, held out",
    "retrieval_target": "Retrieval of the target, held out",
    "auc": "AUC, held out",
    "auc_augmented": "AUC, held out and augmented",
    "cos_same": "Cosine, same person, held out",
    "cos_other": "Cosine, different people, held out",
}
_NOTE = (
    f"Value against the step. A curve of more than {STEPS} points is drawn as the means of {STEPS} stretches, with the "
    "least and greatest value of each as a band."
)


@dataclass(frozen=True)
class Curve:
    """One logged value: steps float [n], ascending, values float [n], all finite."""

    steps: Floats
    values: Floats


@dataclass(frozen=True)
class Training:
    """The log of one run. part: what was trained, "" where unknown; seconds: of the last row, None where unknown."""

    name: str
    part: str
    curves: dict[str, Curve]
    seconds: float | None

    @property
    def last(self) -> int:
        """The last step of its log, 0 for an empty one."""
        return int(max((curve.steps[-1] for curve in self.curves.values()), default=0))


def is_training(folder: Path) -> bool:
    """Whether a folder holds a training run rather than results."""
    return (folder / LOG).is_file() and not (folder / "results.json").is_file()


def read(folder: Path) -> Training:
    """Read a training run's log; a last line that a kill cut off, and values that are not finite, are left out.

    Args:
        folder: Of the training.

    Returns:
        Its curves.

    Raises:
        ResultsError: For a file that is no such log, naming it.
    """
    path = folder / LOG
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
            names = list(rows[0]) if rows else []
    except (OSError, UnicodeError, csv.Error) as error:
        raise ResultsError(f"cannot read the training log {path}: {error}") from error
    if "step" not in names:
        raise ResultsError(
            f"{path} is no training log: it has no column step; give a folder of smoothswap.train"
        )
    found: dict[str, list[tuple[float, float]]] = {
        name: [] for name in names if name and name not in ("step", "seconds")
    }
    seconds = None
    for row in rows:
        step = _number(row["step"])
        if step is None or None in row.values():  # a line that a kill cut off
            continue
        seconds = _number(row.get("seconds")) or seconds
        for name, points in found.items():
            value = _number(row[name])
            if value is not None and (not points or step > points[-1][0]):
                points.append((step, value))
    curves = {name: Curve(*np.array(points, dtype=np.float64).T) for name, points in found.items() if points}
    return Training(folder.resolve().name, _part(folder), curves, seconds)


def curves(trainings: Sequence[Training]) -> list[Plot]:
    """A figure for each value that some run logged, a line a run: values of one name share their axes."""
    keys = dict.fromkeys(key for training in trainings for key in training.curves)
    return [_plot(key, trainings) for key in keys]


def _plot(key: str, trainings: Sequence[Training]) -> Plot:
    title = TITLES.get(key, key)
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"training {key}"}):
        figure, axes = panel(2.2, left=0.17)
        for i, training in enumerate(trainings):
            curve = training.curves.get(key)
            if curve is None:
                continue
            colour, few = SERIES[i % len(SERIES)], len(curve.steps) <= 40
            steps, mean, low, high = _stretches(curve)
            if not np.array_equal(low, high):
                axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(
                steps,
                mean,
                color=colour,
                linestyle=DASHES[i % len(DASHES)],
                linewidth=1.5,
                marker="o" if few else "",
                markersize=3,
                label=short(training.name),
            )
        axes.locator_params(axis="y", nbins=4)
        axes.tick_params(axis="y", colors=SOFT, length=0, labelsize=8)
        axes.grid(axis="y", color=LINE, linewidth=0.7)
        axes.set_xlim(left=0)
        if len(trainings) > 1:
            axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc="best", handlelength=2.6)
        svg = inline(figure, f"{title} against the step")
    return Plot(title, _NOTE, svg)


def _stretches(curve: Curve) -> tuple[Floats, Floats, Floats, Floats]:
    """(steps, means, least, greatest) of the curve's points in at most STEPS stretches of equal numbers."""
    if len(curve.steps) <= STEPS:
        return curve.steps, curve.values, curve.values, curve.values
    parts = np.array_split(np.arange(len(curve.steps)), STEPS)
    values = [curve.values[part] for part in parts]
    return (
        np.array([curve.steps[part].mean() for part in parts]),
        np.array([part.mean() for part in values]),
        np.array([part.min() for part in values]),
        np.array([part.max() for part in values]),
    )


def _part(folder: Path) -> str:
    try:
        content = read_json(folder / "config.json")
    except (OSError, ValueError):
        return ""
    part = content.get("part") if isinstance(content, dict) else None
    return part if isinstance(part, str) else ""


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
