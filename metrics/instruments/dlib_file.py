"""The file of dlib's face recognition network, read as data: nothing of it is executed.

Format: serialize.h, dnn/core.h, dnn/layers.h and cuda/tensor.h of dlib 19.3 to 20 (King, BSL-1.0). A whole number
is a control byte (how many bytes follow; top bit: negative) and little-endian bytes; a scalar is a mantissa and
a power of two; a tensor is four sizes and raw float32. The network is anet_type of dlib's
dnn_face_recognition_ex.cpp (2017): PUBLISHED spells it out, and a file must match it to the last value.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import InstrumentError

SIZE = 150
DIMENSIONS = 128
MAX_BYTES = 64 << 20  # the published file has 22 MB
_NOTHING = np.empty(0, np.float32)


class Shape(NamedTuple):
    """A layer without its weights. window: rows, columns, stride y, x, padding y, x; (0, 0: all of the plane)."""

    kind: str
    inputs: int = 0
    outputs: int = 0
    window: tuple[int, int, int, int, int, int] = (0, 0, 1, 1, 0, 0)


class Layer(NamedTuple):
    """con: weights [out, in, rows, columns], bias [out]; affine: scale, shift [n]; fc: weights [in, out]."""

    shape: Shape
    weights: NDArray[np.float32] = _NOTHING
    bias: NDArray[np.float32] = _NOTHING


class Weights(NamedTuple):
    """What a file holds: the mean colour (r, g, b, of 255) and the layers from the picture to the descriptor."""

    mean: tuple[float, float, float]
    layers: tuple[Layer, ...]


def _con(inputs: int, outputs: int, side: int, stride: int) -> list[Shape]:
    padding = side // 2 if stride == 1 else 0  # dlib's default: a convolution that strides is not padded
    window = (side, side, stride, stride, padding, padding)
    return [Shape("con", inputs, outputs, window), Shape("affine", outputs, outputs)]


def _residual(inputs: int, outputs: int, down: bool) -> list[Shape]:
    """dlib's residual or residual_down block, and its relu."""
    block = [Shape("tag1"), *_con(inputs, outputs, 3, 1 + down), Shape("relu"), *_con(outputs, outputs, 3, 1)]
    if down:
        block += [Shape("tag2"), Shape("skip1"), Shape("avg_pool", window=(2, 2, 2, 2, 0, 0))]
    return [*block, Shape("add_prev2" if down else "add_prev1"), Shape("relu")]


def _level(inputs: int, outputs: int, down: int, plain: int) -> list[Shape]:
    blocks = [*[_residual(inputs, outputs, True)] * down, *[_residual(outputs, outputs, False)] * plain]
    return [shape for block in blocks for shape in block]


PUBLISHED: tuple[Shape, ...] = (
    *_con(3, 32, 7, 2),
    Shape("relu"),
    Shape("max_pool", window=(3, 3, 2, 2, 0, 0)),
    *_level(32, 32, down=0, plain=3),
    *_level(32, 64, down=1, plain=3),
    *_level(64, 128, down=1, plain=2),
    *_level(128, 256, down=1, plain=2),
    *_level(256, 256, down=1, plain=0),
    Shape("avg_pool"),
    Shape("fc", 256, DIMENSIONS),
)
_NAMES = {
    "con": "con_4",
    "affine": "affine_",
    "relu": "relu_",
    "max_pool": "max_pool_2",
    "avg_pool": "avg_pool_2",
    "add_prev1": "add_prev_",
    "add_prev2": "add_prev_",
    "fc": "fc_2",
}
_WRAPPERS = ("tag1", "tag2", "skip1")  # they hold no data; the file keeps not even their number


class _Reader:
    """Takes values off the front of a file; every value that is not the wanted one is an InstrumentError."""

    def __init__(self, data: bytes | memoryview, name: str) -> None:
        self._data, self._name, self._at = memoryview(data), name, 0

    def error(self, why: str) -> InstrumentError:
        return InstrumentError(
            f"dlib: {self._name} is not dlib's face recognition network (byte {self._at}: {why}); "
            "give an intact dlib_face_recognition_resnet_model_v1.dat"
        )

    def take(self, count: int) -> memoryview:
        left = len(self._data) - self._at
        if count > left:
            raise self.error(f"{count} bytes wanted, {left} left")
        self._at += count
        return self._data[self._at - count : self._at]

    def integer(self) -> int:
        control = self.take(1)[0]
        count = control & 0x7F
        if not 1 <= count <= 8:
            raise self.error(f"no whole number begins with {control:#04x}")
        value = int.from_bytes(self.take(count), "little")
        return -value if control & 0x80 else value

    def real(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        # dlib's codes for infinities and NaN are exponents of 32000 and more.
        if abs(exponent) > 1000 or abs(mantissa) >= 1 << 63:
            raise self.error(f"{mantissa} * 2^{exponent} is not a number of this network")
        return math.ldexp(mantissa, exponent)

    def text(self, wanted: str) -> None:
        raw = wanted.encode()
        self.expect(f"length of the name {wanted!r}", len(raw))
        found = bytes(self.take(len(raw)))
        if found != raw:
            raise self.error(f"{wanted!r} wanted, {found!r} found")

    def flag(self) -> bool:
        found = self.take(1)[0]
        if found not in b"01":
            raise self.error(f"'0' or '1' wanted, {found:#04x} found")
        return found == ord("1")

    def expect(self, what: str, *wanted: int) -> None:
        found = tuple(self.integer() for _ in wanted)
        if found != wanted:
            raise self.error(f"{what}: {list(wanted)} wanted, {list(found)} found")

    def parameters(self, samples: int, channels: int = 1) -> NDArray[np.float32]:
        self.expect("version and sizes of a tensor", 2, samples, channels, 1, 1)
        values = np.frombuffer(self.take(4 * samples * channels), "<f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise self.error("weights that are not finite")
        return values

    def alias(self, *sizes: int) -> None:
        self.expect("version and sizes of a view", 1, *sizes)

    def skip_tensor(self) -> None:
        """Gradients and outputs that training left behind; dlib's own file has them empty."""
        self.expect("version of a tensor", 2)
        sizes = [self.integer() for _ in range(4)]
        if min(sizes) < 0:
            raise self.error(f"a tensor of {sizes}")
        self.take(4 * math.prod(sizes))

    def end(self) -> None:
        if self._at != len(self._data):
            raise self.error(f"the network ends here, {len(self._data) - self._at} bytes follow")


def read_weights(path: Path) -> Weights:
    """The network in `path`. Raises InstrumentError for a file that is too large, cut short or another one."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InstrumentError(
                f"dlib: {path} is not dlib's face recognition network (larger than {MAX_BYTES >> 20} MB)"
            )
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise InstrumentError(f"dlib: {path} cannot be read ({error.strerror})") from error


def parse(data: bytes | memoryview, name: str) -> Weights:
    """The network in the content of a file. Memory: that of the weights in `data`, never more.

    Args:
        data: The whole file.
        name: Its name, for messages.

    Returns:
        The mean colour and the layers of PUBLISHED with their weights.

    Raises:
        InstrumentError: For the first value that is not this network's, with the byte where it stands; also
            for data that end early or go on behind the network.
    """
    reader = _Reader(data, name)
    reader.expect("version of the loss", 1)
    reader.text("loss_metric_2")
    reader.real(), reader.real()  # margin and distance threshold: for training only
    # Layers are nested, the descriptor outermost: first come all versions, then the layers inside out.
    for position, shape in reversed(list(enumerate(PUBLISHED))):
        reader.expect(f"version of {shape.kind}", 1 if shape.kind in _WRAPPERS else 2 if position else 3)
    reader.text("input_rgb_image_sized")
    mean = (reader.real(), reader.real(), reader.real())
    reader.expect("size of the picture", SIZE, SIZE)
    layers = []
    for position, shape in enumerate(PUBLISHED):
        if shape.kind in _WRAPPERS:
            layers.append(Layer(shape))
            continue
        reader.text(_NAMES[shape.kind])
        layers.append(_READ.get(shape.kind, _read_plain)(reader, shape))
        if not reader.flag():
            raise reader.error(f"a layer {shape.kind} that was never set up")
        reader.flag(), reader.flag()  # states of training
        for _ in range(3):
            reader.skip_tensor()
        if position == 0:
            reader.expect("tensors a picture", 1)
    reader.end()
    return Weights(mean, tuple(layers))


def _read_con(reader: _Reader, shape: Shape) -> Layer:
    sizes = (shape.outputs, shape.inputs, *shape.window[:2])
    values = reader.parameters(math.prod(sizes) + shape.outputs)
    reader.expect("filters and window of a convolution", shape.outputs, *shape.window)
    reader.alias(*sizes)
    reader.alias(1, shape.outputs, 1, 1)
    for _ in range(4):
        reader.real()  # learning rates and decays
    return Layer(shape, values[: -shape.outputs].reshape(sizes), values[-shape.outputs :])


def _read_affine(reader: _Reader, shape: Shape) -> Layer:
    values = reader.parameters(2 * shape.outputs)
    reader.alias(1, shape.outputs, 1, 1)
    reader.alias(1, shape.outputs, 1, 1)
    reader.expect("mode of affine (0: a channel)", 0)
    return Layer(shape, values[: shape.outputs], values[shape.outputs :])


def _read_fc(reader: _Reader, shape: Shape) -> Layer:
    reader.expect("outputs and inputs of fc", shape.outputs, shape.inputs)
    values = reader.parameters(shape.inputs, shape.outputs)
    reader.alias(shape.inputs, shape.outputs, 1, 1)
    reader.alias(0, 0, 0, 0)
    reader.expect("mode of fc (1: no bias)", 1)
    for _ in range(4):
        reader.real()
    return Layer(shape, values.reshape(shape.inputs, shape.outputs))


def _read_plain(reader: _Reader, shape: Shape) -> Layer:
    if shape.kind.endswith("_pool"):
        reader.expect("window of a pooling", *shape.window)
    return Layer(shape)


_READ = {"con": _read_con, "affine": _read_affine, "fc": _read_fc}
