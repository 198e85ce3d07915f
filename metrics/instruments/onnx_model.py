"""A recogniser's ONNX file made ready for many faces at once: the same arithmetic, in a form that runs faster.

Exports for phones and for other engines fix the batch at one face, keep weights as eight-bit numbers that are unpacked at
every run, list weights as inputs, and hold PReLUs that take ONNX Runtime out of its blocked layout. It is done to files
whose hash is known (metrics.instruments.sface), for which the tests hold the outcome against the file's own numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


def tidied(model: bytes) -> bytes:
    """An ONNX file with a free batch axis and without what slows it down.

    Inputs that no node reads are dropped; constant DequantizeLinear nodes are folded; a PReLU with a slope a channel
    becomes relu(y) (1 - a) + y a by two depthwise products; the first axis of inputs and outputs, and the leading one of
    constant reshapes, is left open.

    Args:
        model: The file's bytes.

    Returns:
        Another ONNX file's bytes.

    Raises:
        ValueError: For bytes that are no ONNX model.
    """
    try:
        read = onnx.load_model_from_string(model)
    except Exception as error:  # protobuf's errors share no base with others
        raise ValueError(f"no ONNX model: {error}") from error
    graph = read.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    _fold(graph, constants)
    _split_prelus(graph, constants)
    _free_batch(graph, constants)
    used = {name for node in graph.node for name in node.input}
    inputs = [one for one in graph.input if one.name in used and one.name not in constants]
    del graph.input[:], graph.initializer[:]
    graph.input.extend(inputs)
    # np.array, not ascontiguousarray: that would make a list of a single number
    graph.initializer.extend(
        numpy_helper.from_array(np.array(values, order="C"), name)
        for name, values in constants.items()
        if name in used
    )
    return bytes(read.SerializeToString())


def _fold(graph: Any, constants: dict[str, np.ndarray]) -> None:
    """Constants among the weights, and weights that are stored as eight-bit numbers unpacked, once."""
    kept = []
    for node in graph.node:
        known = all(name in constants for name in node.input)
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type == "DequantizeLinear" and known:
            constants[node.output[0]] = _dequantized(node, [constants[name] for name in node.input])
        elif node.op_type == "Reshape" and known:
            values, shape = (constants[name] for name in node.input)
            constants[node.output[0]] = values.reshape(shape)
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _dequantized(node: Any, given: list[np.ndarray]) -> np.ndarray:
    """(x - zero point) scale, with one scale in all, one a channel, or one a block along an axis."""
    options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    axis, block = options.get("axis", 1), options.get("block_size", 0)
    x = given[0].astype(np.float32)

    def spread(values: np.ndarray) -> np.ndarray:
        values = values.astype(np.float32)
        if block:
            wide = np.repeat(values, block, axis=axis)
            return wide if wide.shape == x.shape else wide.take(range(x.shape[axis]), axis=axis)
        if values.ndim == 1 and len(values) > 1:
            return values.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
        return values

    if len(given) > 2:
        x -= spread(given[2])
    x *= spread(given[1])
    return x


def _split_prelus(graph: Any, constants: dict[str, np.ndarray]) -> None:
    nodes = []
    for node in graph.node:
        slope = constants.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is None or slope.ndim < 3 or slope.shape[-3] != slope.size or slope.size == 1:
            nodes.append(node)
            continue
        y, out = node.input[0], node.output[0]
        constants[f"{out}/slope"] = slope.astype(np.float32).reshape(-1, 1, 1, 1)
        constants[f"{out}/rest"] = 1 - constants[f"{out}/slope"]
        channels: dict[str, Any] = {"group": slope.size, "kernel_shape": [1, 1]}
        nodes += [
            helper.make_node("Relu", [y], [f"{out}/relu"]),
            helper.make_node("Conv", [f"{out}/relu", f"{out}/rest"], [f"{out}/above"], **channels),
            helper.make_node("Conv", [y, f"{out}/slope"], [f"{out}/whole"], **channels),
            helper.make_node("Add", [f"{out}/above", f"{out}/whole"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _free_batch(graph: Any, constants: dict[str, np.ndarray]) -> None:
    for value in (*graph.input, *graph.output):
        axes = value.type.tensor_type.shape.dim
        if len(axes) and axes[0].dim_value == 1:
            axes[0].dim_param = "n"
    del graph.value_info[:]
    for node in graph.node:
        shape = constants.get(node.input[1]) if node.op_type == "Reshape" else None
        if shape is not None and shape.size > 1 and shape[0] == 1:
            node.input[1] = f"{node.output[0]}/shape"
            constants[node.input[1]] = np.array([0, *shape[1:]], shape.dtype)  # 0: as the input's
