"""Features of whole pictures for metrics/pictures/distances.py: Inception from the user's weights, and a filter bank.

FID and KID mean the Inception network of TensorFlow (FIDInception); on torchvision's (Inception) they are other numbers,
under keys of their own. The filter bank needs no download; a Fréchet distance on it is called
`filter_bank_distance` and is no FID: it sees sharpness, texture, contrast and colour, nothing of what a
picture shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy import ndimage

from metrics.distances import Floats
from metrics.instruments.base import InstrumentError, file_sha256
from metrics.pictures.distances import FID_INCEPTION, INCEPTION

if TYPE_CHECKING:
    from torch import Tensor

Images = NDArray[np.uint8]

SCALES = 3
_ORDERS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
# What a filter of sigma 1 leaves of a single point, turned round, is its kernel: four sigma to each side.
_KERNELS = [ndimage.gaussian_filter1d(np.eye(9)[4], 1, order=order)[::-1] for order in range(3)]
_FLOOR = 1e-3  # added to a mean response before its logarithm: a quarter of a grey level
_SMALLEST = 8 * 2 ** (SCALES - 1)
FID_FILE = "pt_inception-2015-12-05-6726825d.pth"
FID_EXPECTED = (
    f"{FID_FILE}, the state of FID's Inception network as mseitzer/pytorch-fid publishes it (fid_weights, 96 MB), or "
    "toshas/torch-fidelity's weights-inception-2015-12-05-6726825d.pth, which is the same"
)
INCEPTION_FILE = "inception_v3_google-0cc3c7bd.pth"
INCEPTION_URL = f"https://download.pytorch.org/models/{INCEPTION_FILE}"


def filter_bank(images: Images) -> Float64[np.ndarray, "n 36"]:
    """36 hand-designed numbers a picture.

    On luma and two colour differences (0..1): mean and deviation of each; then at full, half and quarter size
    the logarithm of the mean absolute response of Gaussian derivatives (sigma 1; x, y, xy, xx, yy and the
    Laplacian for luma; x and y for the colour differences).

    Args:
        images: uint8 [n, h, w, 3] RGB, all of one size from 32 up.

    Returns:
        float64 [n, 36].

    Raises:
        ValueError: For other shapes or types.
    """
    x = _checked(images).astype(np.float64) / 255.0
    luma = x @ np.array([0.299, 0.587, 0.114])
    planes = [luma, x[..., 2] - luma, x[..., 0] - luma]
    columns = [f(plane, axis=(1, 2)) for plane in planes for f in (np.mean, np.std)]
    for _ in range(SCALES):
        response = _responses(planes[0], _ORDERS)
        columns += [_energy(response[order]) for order in _ORDERS]
        columns.append(_energy(response[0, 2] + response[2, 0]))
        for plane in planes[1:]:
            columns += [_energy(one) for one in _responses(plane, _ORDERS[:2]).values()]
        planes = [_halved(plane) for plane in planes]
    return np.stack(columns, axis=1)


class FIDInception:
    """The 2,048 numbers that FID is defined on: TensorFlow's Inception of 2015-12-05, from the user's weights.

    path: FID_FILE, of which nothing is executed. Pictures are resized to 299 pixels as TensorFlow 1 did; features are
    torch-fidelity's. Needs torch, which is imported only here. Raises InstrumentError where the file is missing or
    another network's.
    """

    name = FID_INCEPTION
    description = "Inception v3 of 2015-12-05, FID's network: the 2,048 numbers before its classes"

    def __init__(self, path: str | os.PathLike[str], device: str = "cpu") -> None:
        from metrics.instruments.checkpoint import fill, read_tensors
        from metrics.instruments.networks.inception_fid import InceptionFID

        network = InceptionFID()
        fill(network, read_tensors(path, FID_EXPECTED), path, FID_EXPECTED)
        self._network = network.to(device)
        self._device = device
        self.weights_sha256 = file_sha256(path)

    def __call__(self, images: Images, batch_size: int = 32) -> Floats:
        """uint8 [n, h, w, 3] RGB, all of one size -> float64 [n, 2048]."""
        return _by_batches(self._network, images, batch_size, self._device)


class Inception:
    """The 2,048 numbers before the last layer of torchvision's Inception v3, from the user's weights.

    path: the file that torchvision publishes at INCEPTION_URL, of which nothing is executed. Pictures are
    scaled to 299 pixels (bilinear, antialiased) and to -1..1. The FID of the literature uses FIDInception, whose
    numbers differ: give the name of this one with every value. Needs torch, which is imported only here.
    Raises InstrumentError where the file is missing or another network's.
    """

    name = INCEPTION
    description = "torchvision's Inception v3, the 2,048 numbers before its last layer"

    def __init__(self, path: str | os.PathLike[str], device: str = "cpu") -> None:
        import torch
        from torchvision.models import inception_v3  # type: ignore[import-untyped]

        from metrics.instruments.checkpoint import read_tensors

        file = Path(path)
        if not file.is_file():
            raise InstrumentError(
                f"no Inception weights at {file}: download {INCEPTION_URL} (104 MB, by torchvision's authors) "
                "and give its path; without it use filter_bank, which is no FID"
            )
        try:
            state = read_tensors(file, INCEPTION_FILE)
            network = inception_v3(
                weights=None,
                aux_logits=any(key.startswith("AuxLogits") for key in state),
                transform_input=False,
                init_weights=False,
                num_classes=len(state["fc.bias"]),
            )
            network.load_state_dict(state)
        except (InstrumentError, RuntimeError, KeyError, TypeError) as error:  # another file, another network
            reason = str(error).partition("\n")[0][:200] or type(error).__name__
            raise InstrumentError(
                f"{file} is not the state of torchvision's inception_v3 ({reason}); expected {INCEPTION_FILE}"
            ) from error
        network.fc = torch.nn.Identity()
        self._network = network.eval().requires_grad_(False).to(device)
        self._device = device
        self.weights_sha256 = file_sha256(file)

    def __call__(self, images: Images, batch_size: int = 32) -> Floats:
        """uint8 [n, h, w, 3] RGB, all of one size -> float64 [n, 2048]."""
        return _by_batches(self._features, images, batch_size, self._device)

    def _features(self, x: Tensor) -> Tensor:
        from torch.nn.functional import interpolate

        scaled = interpolate(x, (299, 299), mode="bilinear", antialias=True)
        features: Tensor = self._network(scaled / 127.5 - 1.0)
        return features


def _by_batches(network: Callable[[Tensor], Tensor], images: Images, batch_size: int, device: str) -> Floats:
    """The rows of a network that takes float [n, 3, h, w] of 0..255."""
    import torch

    checked = _checked(images)
    rows = [np.empty((0, 2048))]
    with torch.inference_mode():
        for i in range(0, len(checked), batch_size):
            x = torch.from_numpy(np.ascontiguousarray(checked[i : i + batch_size])).to(device)
            rows.append(network(x.permute(0, 3, 1, 2).float()).double().cpu().numpy())
    return np.concatenate(rows)


def open_inception(path: str | os.PathLike[str], device: str = "cpu") -> FIDInception | Inception:
    """The Inception network whose weights a file holds, known by its classes: 1,008 are FID's, others torchvision's.

    Args:
        path: FID_FILE, or INCEPTION_FILE.
        device: Of torch.

    Returns:
        The extractor.

    Raises:
        InstrumentError: For a file that is missing or neither network's; it says where both are published.
    """
    from metrics.instruments.checkpoint import read_tensors
    from metrics.instruments.networks.inception_fid import CLASSES

    expected = f"{FID_EXPECTED}; or, for columns of another name, torchvision's {INCEPTION_URL}"
    if not Path(path).is_file():
        raise InstrumentError(f"no Inception weights at {path}: give {expected}; without, no FID is measured")
    classes = read_tensors(path, expected).get("fc.bias")
    if classes is None:
        raise InstrumentError(f"{path} is neither Inception: it has no fc.bias; expected {expected}")
    return (FIDInception if len(classes) == CLASSES else Inception)(path, device)


def _checked(images: Images) -> Images:
    shape, kind = np.shape(images), getattr(images, "dtype", type(images))
    if len(shape) != 4 or shape[3] != 3 or kind != np.uint8 or min(shape[1:3]) < _SMALLEST:
        raise ValueError(
            f"pictures must be uint8 [n, h, w, 3] of {_SMALLEST} pixels or more; got {kind} {list(shape)}"
        )
    return images


def _responses(plane: Floats, orders: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Floats]:
    """Gaussian derivatives of [n, h, w] by order (y, x), as ndimage.gaussian_filter's; what they share is filtered once."""
    rows = {y: ndimage.correlate1d(plane, _KERNELS[y], axis=1) for y in sorted({y for y, _ in orders})}
    return {(y, x): ndimage.correlate1d(rows[y], _KERNELS[x], axis=2) for y, x in orders}


def _energy(response: Floats) -> Floats:
    return np.asarray(np.log(np.mean(np.abs(response), axis=(1, 2)) + _FLOOR))


def _halved(plane: Floats) -> Floats:
    """Mean of each 2 x 2 block; an odd last row or column is left out."""
    h, w = plane.shape[1] // 2 * 2, plane.shape[2] // 2 * 2
    even = plane[:, :h, :w]
    return np.asarray(even.reshape(len(plane), h // 2, 2, w // 2, 2).mean(axis=(2, 4)))
