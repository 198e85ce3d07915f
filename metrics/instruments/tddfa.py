"""Shape, expression and pose by 3DDFA_V2's regressor: 62 numbers of the Basel face model, without that model.

Guo, Zhu, Yang, Yang, Lei, Li, "Towards Fast, Accurate and Stable 3D Dense Face Alignment" (ECCV 2020);
cleardusk/3DDFA_V2: TDDFA.py, models/mobilenet_v1.py, utils/. Numbers: affine camera 3 x 4, shape 40, expression 10. The
network returns them standardised; the mean and standard deviation are a file beside the weights.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop, InstrumentError, file_sha256
from metrics.instruments.checkpoint import fill, read_tensors
from metrics.instruments.networks.mobilenet import MobileNet
from metrics.instruments.reader import TorchReader
from metrics.rotation import from_3ddfa

EXPECTED = "3DDFA_V2's mb05_120x120.pth (folder weights of cleardusk/3DDFA_V2, MIT)"
STATISTICS = (
    "3DDFA_V2's mean and standard deviation of its 62 numbers, as .npz with `mean` and `std` (from configs/"
    "param_mean_std_62d_120x120.pkl of cleardusk/3DDFA_V2, MIT)"
)
CODES = 62
UNITS = ("standardised", "model")


class Tddfa(TorchReader):
    """The instrument.

    statistics: the .npz of mean and std; by default tddfa_param_mean_std_62d.npz or param_mean_std_62d_120x120.npz
        beside the weights.
    units: "standardised" (the default: every number divided by its spread over the training set, so that no component
        rules a distance) or "model" (coefficients of the model's own vectors).
    Crop: the square of sqrt(2) times the longer side of the landmarks' box, black outside, 120 pixels, BGR.
    """

    name = "tddfa"
    reads = ("shape", "expression", "pose")
    crop = Crop("tddfa", 120)
    licence = "MIT (weights); the Basel face model behind the numbers: research that is not commercial"
    description = "3DDFA_V2's MobileNet: 40 shape and 10 expression codes of the Basel face model, axis-angle"
    needs = f"a file of yours, tddfa:PATH: {EXPECTED}; beside it {STATISTICS}"
    family = "tddfa"

    def __init__(
        self,
        path: str | os.PathLike[str],
        statistics: str | os.PathLike[str] | None = None,
        units: str = "standardised",
        precision: str = "fp32",
    ) -> None:
        if units not in UNITS:
            raise InstrumentError(f"tddfa: units are {' or '.join(map(repr, UNITS))}, not {units!r}")
        network = MobileNet()
        fill(network, read_tensors(path, EXPECTED), path, EXPECTED, unused=("fc_lm.",))
        where = _beside(Path(path)) if statistics is None else Path(statistics)
        self._mean62, self._std62 = read_statistics(where)
        self._standardised = units == "standardised"
        super().__init__(path, network, (127.5,) * 3, (128.0,) * 3, "bgr", self._split, precision)
        self.parameters |= {
            "units": units,
            "statistics_sha256": file_sha256(where),
            "crop_policy": "landmark",
        }

    def _split(self, codes: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        numbers = codes * self._std62 + self._mean62
        rest = codes if self._standardised else numbers
        return {"shape": rest[:, 12:52], "expression": rest[:, 52:], "pose": from_3ddfa(numbers[:, :12])}


def read_statistics(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation, float64 [62] each. Raises InstrumentError."""
    try:
        with np.load(path, allow_pickle=False) as file:
            mean, std = (np.asarray(file[key], np.float64) for key in ("mean", "std"))
    except FileNotFoundError:
        raise InstrumentError(f"tddfa: no file {path}; expected {STATISTICS}") from None
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise InstrumentError(f"tddfa: {path} cannot be read ({error}); expected {STATISTICS}") from None
    if mean.shape != (CODES,) or std.shape != (CODES,) or not (np.isfinite(mean).all() and (std > 0).all()):
        raise InstrumentError(
            f"tddfa: {path} does not hold {CODES} means and positive spreads; expected {STATISTICS}"
        )
    return mean, std


def _beside(weights: Path) -> Path:
    names = ("tddfa_param_mean_std_62d.npz", "param_mean_std_62d_120x120.npz")
    return next(
        (weights.with_name(n) for n in names if weights.with_name(n).is_file()), weights.with_name(names[0])
    )


def create(
    path: str, statistics: str | None = None, units: str = "standardised", precision: str = "fp32"
) -> Tddfa:
    """Factory of the registry.

    Args:
        path: 3DDFA_V2's mb05_120x120.pth.
        statistics: The .npz of `mean` and `std`, 62 numbers each; None: tddfa_param_mean_std_62d.npz or
            param_mean_std_62d_120x120.npz beside the weights.
        units: Of shape and expression: "standardised" (less their mean over the training set, divided by
            their spread) or "model" (coefficients of the model's own vectors). Pose is in radians either way.
        precision: "fp32", or "bf16" (autocast), which is refused where it changes the readings of eight probe
            pictures by more than metrics.instruments.reader.BF16_TOLERANCE.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For a file that is missing or another network's, statistics that do not fit, and for
            other options.
    """
    return Tddfa(path, statistics, units, precision)
