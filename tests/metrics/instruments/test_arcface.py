"""ArcFace-style ONNX recognisers: tiny models with known answers, hostile files, and a real network."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from metrics.instruments import InstrumentError, create

onnx = pytest.importorskip("onnx", reason="onnx builds the tiny recognisers of these tests")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

LANDMARKS = np.zeros((0, 68, 2), np.float32)


def write_model(
    path: Path,
    input_shape: tuple[int | str, ...] = ("n", 3, 112, 112),
    kind: int = TensorProto.FLOAT,
    rank: int = 2,
    inputs: int = 1,
    outputs: int = 1,
    axes: tuple[int, ...] = (2, 3),
) -> Path:
    """A recogniser whose embedding is the mean of each channel times (1, 2, 3)."""
    element = onnx.helper.tensor_dtype_to_np_dtype(kind)
    nodes = [
        helper.make_node("ReduceMean", ["x0", "axes"], ["m"], keepdims=int(rank == 4)),
        *(helper.make_node("Mul", ["m", "weights"], [f"y{i}"]) for i in range(outputs)),
    ]
    weights = np.array([1, 2, 3], element).reshape((3, 1, 1) if rank == 4 else (3,))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(f"x{i}", kind, input_shape) for i in range(inputs)],
        [helper.make_tensor_value_info(f"y{i}", kind, None) for i in range(outputs)],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array(axes), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def crops(n: int, seed: int = 0) -> np.ndarray:
    # Channels differ much, so that a wrong colour order shows.
    scale = np.array([1.0, 0.6, 0.2])
    noise = np.random.default_rng(seed).uniform(0, 255, (n, 112, 112, 3))
    return (noise * np.random.default_rng(seed + 1).uniform(0.2, 1, (n, 1, 1, 1)) * scale).astype(np.uint8)


def expected(images: np.ndarray, mean: float = 127.5, scale: float = 127.5, order: int = 1) -> np.ndarray:
    channels = images.astype(np.float64).mean(axis=(1, 2))[:, ::order]
    return (channels - mean) / scale * [1, 2, 3]


SHAPES: list[tuple[int | str, ...]] = [
    ("n", 3, 112, 112),
    (1, 3, 112, 112),
    (4, 3, 112, 112),
    ("n", 3, "h", "w"),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [0, 1, 5, 33])
def test_any_batch_size_gives_the_known_answer(tmp_path: Path, shape: tuple[int | str, ...], n: int) -> None:
    instrument = create(f"arcface:{write_model(tmp_path / 'm.onnx', shape)}")
    got = instrument.read(crops(n), LANDMARKS)
    assert set(got) == set(instrument.reads) == {"identity"}
    assert got["identity"].dtype == np.float32
    assert got["identity"].shape == (n, 3)
    np.testing.assert_allclose(got["identity"], expected(crops(n)), atol=2e-4)


def test_channels_last_models_are_recognised(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", (1, 112, 112, 3), axes=(1, 2))
    np.testing.assert_allclose(
        create(f"arcface:{path}").read(crops(3), LANDMARKS)["identity"], expected(crops(3)), atol=2e-4
    )


def test_options_change_the_numbers_as_named_and_are_recorded(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx")
    instrument = create(f"arcface:{path}?mean=100&scale=128&colour=bgr")
    assert instrument.parameters == {"mean": 100.0, "scale": 128.0, "colour": "bgr", "flip": False}
    got = instrument.read(crops(4), LANDMARKS)["identity"]
    np.testing.assert_allclose(got, expected(crops(4), 100, 128, -1), atol=2e-4)
    doubled = create(f"arcface:{path}", flip=True).read(crops(4), LANDMARKS)["identity"]
    np.testing.assert_allclose(doubled, 2 * expected(crops(4)), atol=2e-4)  # a mean does not feel a mirror


def test_it_says_what_it_is(tmp_path: Path) -> None:
    path = write_model(tmp_path / "my net.onnx")
    instrument = create(f"arcface:{path}")
    assert instrument.name == "arcface:my net"
    assert (instrument.crop.template, instrument.crop.size) == ("arcface", 112)
    assert instrument.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "3-d" in instrument.description


def test_a_file_with_a_question_mark_in_its_name(tmp_path: Path) -> None:
    path = write_model(tmp_path / "what?.onnx")
    assert create(f"arcface:{path}").parameters["scale"] == 127.5
    assert create(f"arcface:{path}", scale=128).parameters["scale"] == 128


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_shape": ("n", 3, 128, 128)}, r"a recogniser reads \[batch, 3, 112, 112\]"),
        ({"input_shape": ("n", 1, 112, 112)}, "a recogniser reads"),
        ({"input_shape": (3, 112, 112), "axes": (1, 2)}, "a recogniser reads"),
        ({"kind": TensorProto.DOUBLE}, "float32"),
        ({"rank": 4}, r"a recogniser returns \[batch, d\]"),
        ({"inputs": 2}, "2 inputs and 1 outputs"),
        ({"outputs": 2}, "1 inputs and 2 outputs"),
        ({"input_shape": ("n", 3, "h", "w"), "axes": (0, 2)}, "does not run on"),
    ],
)
def test_other_networks_are_refused(tmp_path: Path, changes: dict, message: str) -> None:
    path = write_model(tmp_path / "m.onnx", **changes)
    with pytest.raises(InstrumentError, match=message):
        create(f"arcface:{path}")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_random_bytes_are_one_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "noise.onnx"
    path.write_bytes(data)
    with pytest.raises(InstrumentError, match=r"noise\.onnx"):
        create(f"arcface:{path}")


def test_every_truncation_is_one_clear_error(tmp_path: Path) -> None:
    whole = write_model(tmp_path / "m.onnx").read_bytes()
    short = tmp_path / "short.onnx"
    # The last bytes are the opset's version; without some of them it may still be a whole model.
    for length in range(0, len(whole) - 12, 7):
        short.write_bytes(whole[:length])
        with pytest.raises(InstrumentError, match=r"short\.onnx"):
            create(f"arcface:{short}")


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "beside.bin"])
def test_weights_in_other_files_are_refused(tmp_path: Path, location: str) -> None:
    """They would escape the recorded hash, and could name any file."""
    folder = tmp_path / "models"
    folder.mkdir()
    for place in (tmp_path / "secret.bin", folder / "beside.bin"):
        place.write_bytes(np.array([1, 2, 3], np.float32).tobytes())
    model = onnx.load(write_model(folder / "m.onnx"))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InstrumentError, match="save it as one ONNX file"):
        create(f"arcface:{folder / 'm.onnx'}")


def test_missing_files_folders_and_options(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx")
    for spec, message in {
        "arcface": "arcface:PATH",
        f"arcface:{tmp_path / 'none.onnx'}": "cannot read",
        f"arcface:{tmp_path}": "cannot read",
        f"arcface:{path}?scal=128": "did you mean 'scale'",
        f"arcface:{path}?scale=0": "must not be 0",
        f"arcface:{path}?scale=wide": "must be a number",
        f"arcface:{path}?colour=grey": "'rgb' or 'bgr'",
        f"arcface:{path}?flip=maybe": "true or false",
    }.items():
        with pytest.raises(InstrumentError, match=message):
            create(spec)


@pytest.mark.parametrize(("shape", "dtype"), [((1, 3, 112, 112), np.uint8), ((1, 112, 112, 3), np.float32)])
def test_other_crops_are_refused(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    bad = np.zeros(shape, dtype)
    instrument = create(f"arcface:{write_model(tmp_path / 'm.onnx')}")
    with pytest.raises(InstrumentError, match=r"reads uint8 crops \[n, 112, 112, 3\]"):
        instrument.read(bad, LANDMARKS)


def lfw_crops(shared: Path, count: int) -> tuple[list[str], np.ndarray]:
    names, images = [], []
    with tarfile.open(shared / "lfw/lfw112_min8ids.tar") as tar:
        for member in tar:
            if member.isfile() and len(names) < count:
                names.append(member.name)
                images.append(
                    np.asarray(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB"))
                )
    return names, np.stack(images)


def test_a_real_recogniser_agrees_with_stored_embeddings(shared_data: Path) -> None:
    """MobileFaceNet on LFW crops, against embeddings computed apart from this project; stored in fp16."""
    data = shared_data
    weights = data / "weights/mobilefacenet_foamliu_112_128d.onnx"
    stored_file = data / "lfw/lfw_mobilefacenet_foamliu_emb.npz"
    for needed in (weights, stored_file, data / "lfw/lfw112_min8ids.tar"):
        if not needed.exists():
            pytest.skip(f"{needed.name} is not at hand")
    names, images = lfw_crops(shared_data, 60)
    with np.load(stored_file, allow_pickle=False) as stored:
        row = {Path(name).name: i for i, name in enumerate(stored["names"])}
        wanted = stored["emb"][[row[Path(name).name] for name in names]].astype(np.float64)
    got = create(f"arcface:{weights}?scale=128").read(images, LANDMARKS)["identity"].astype(np.float64)
    cosine = (got * wanted).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(wanted, axis=1)
    assert cosine.min() > 0.999, f"worst crop {names[int(cosine.argmin())]}: {cosine.min():.5f}"


def test_a_packs_recogniser_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".insightface/models/buffalo_l"
    folder.mkdir(parents=True)
    (folder / "det_10g.onnx").write_bytes(b"a detector")
    path = write_model(folder / "w600k_r50.onnx")
    instrument = create("arcface:buffalo_l")
    assert (instrument.name, instrument.family) == ("arcface:buffalo_l", "arcface")
    assert instrument.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "not commercial" in instrument.licence
    path.rename(folder / "renamed.onnx")
    with pytest.raises(
        InstrumentError, match=r"has 0 recognisers .*det_10g\.onnx, renamed\.onnx: give the right one"
    ):
        create("arcface:buffalo_l")


def test_a_pack_that_is_not_there_says_where_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    # As where insightface is not installed.
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InstrumentError, match=r"'buffalo_z' is neither a file nor a pack .*README of deep"):
        create("arcface:buffalo_z")
    with pytest.raises(InstrumentError, match=r"'antelopev2' .*pip install --no-deps 'insightface"):
        create("arcface:antelopev2")


def test_precision_is_not_for_onnx(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="precision=bf16 is torch's"):
        create(f"arcface:{write_model(tmp_path / 'm.onnx')}?precision=bf16")
