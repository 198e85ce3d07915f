"""Small trees of real video files, and an ONNX recogniser that tells their people apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from smoothswap.guarded import Workers
from tests.support.ffpp_trees import make_tree, write_swaps
from tests.support.made_runs import unread_page


@pytest.fixture(autouse=True)
def one_worker_is_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a run asks for one worker it is this process, which takes no second to start; unless marked `workers`."""
    if request.node.get_closest_marker("workers") is None:

        def workers(count: int, *given: Any, **named: Any) -> Workers:
            return Workers(0 if count == 1 else count, *given, **named)

        monkeypatch.setattr("bench.reading.pool.Workers", workers)
        monkeypatch.setattr("bench.finished.check.Workers", workers)


@pytest.fixture(autouse=True)
def pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of bench.ffpp write a real page where the test is marked `page`, or is not one of a run at all."""
    if request.node.get_closest_marker("page") is None:
        monkeypatch.setattr("bench.ffpp.report.write_report", unread_page)
        monkeypatch.setattr("bench.rescore.write_report", unread_page)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two pairs: 000 with 001, 002 with 003; five frames a clip; no manipulations."""
    return make_tree(tmp_path / "ffpp")


@pytest.fixture
def add_swaps(tree: Path) -> Callable[..., None]:
    """add_swaps("oracle", n=5): write target_source clips of all four swaps under manipulated_sequences."""

    def add(name: str, n: int = 5) -> None:
        write_swaps(tree, name, n)

    return add


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An ONNX recogniser that tells tints apart: an 8 x 8 thumbnail of the crop, as 192 numbers. Its spec."""
    pool = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[14, 14], strides=[14, 14])
    flat = helper.make_node("Flatten", ["y"], ["z"])
    graph = helper.make_graph(
        [pool, flat],
        "colours",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 192])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path_factory.mktemp("onnx") / "colours.onnx"
    onnx.save(model, path)
    return f"arcface:{path}"
