"""dlib's network in torch: the wheel is the oracle. Its file: cut short, changed, foreign, with huge sizes."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from metrics.instruments import InstrumentError
from metrics.instruments.dlib import weights_path
from metrics.instruments.dlib_file import MAX_BYTES, PUBLISHED, Weights, parse, read_weights
from metrics.instruments.dlib_network import BATCH, Network, _add_prev, fold
from smoothswap.faces.align import dlib_crop
from smoothswap.rendered.ffpp import Clip, render_clip

dlib = pytest.importorskip("dlib")

FIRST_FILTERS = 352  # the file's bytes up to the first convolution's weights; then 4736 float32
EMPTY = bytes.fromhex("0102 0100 0100 0100 0100")  # a tensor without values


@pytest.fixture(scope="module")
def data() -> bytes:
    return weights_path().read_bytes()


@pytest.fixture(scope="module")
def weights(data: bytes) -> Weights:
    return parse(data, "published")


@pytest.fixture(scope="module")
def network(weights: Weights) -> Network:
    return Network(Weights(weights.mean, fold(weights.layers)))


@pytest.fixture(scope="module")
def chips() -> np.ndarray:
    """Faces of five rendered people in two poses each, noise of two kinds, flat black, white and red."""
    made = []
    for person in range(5):
        frames, rows = render_clip(Clip(person, person, 2, 200, seed=5))
        landmarks = [np.asarray(row["landmarks"], np.float32).reshape(68, 2) for row in rows]
        made += [dlib_crop(frame, points) for frame, points in zip(frames, landmarks, strict=True)]
    rng = np.random.default_rng(0)
    made += list(rng.integers(0, 256, (2, 150, 150, 3), dtype=np.uint8))
    made.append(np.kron(rng.integers(0, 256, (15, 15, 3)), np.ones((10, 10, 1))).astype(np.uint8))
    made += [np.full((150, 150, 3), colour, np.uint8) for colour in ((0,) * 3, (255,) * 3, (255, 0, 0))]
    return np.stack(made)


@pytest.fixture(scope="module")
def read(network: Network, chips: np.ndarray) -> np.ndarray:
    return network.describe(chips)


def test_descriptors_are_the_wheels(chips: np.ndarray, read: np.ndarray) -> None:
    wheel = dlib.face_recognition_model_v1(str(weights_path()))
    wanted = np.array([np.array(wheel.compute_face_descriptor(chip)) for chip in chips])
    np.testing.assert_allclose(read, wanted, rtol=0, atol=1e-5)
    cosine = (read * wanted).sum(1) / np.linalg.norm(read, axis=1) / np.linalg.norm(wanted, axis=1)
    assert cosine.min() > 0.999999
    # The comparison means something only where the descriptors differ from each other.
    apart = np.linalg.norm(wanted[:, None] - wanted[None], axis=2) + np.eye(len(wanted))
    assert apart.min() > 0.01


def test_a_face_does_not_depend_on_its_neighbours(
    network: Network, chips: np.ndarray, read: np.ndarray
) -> None:
    alone = np.concatenate([network.describe(chip[None]) for chip in chips])
    np.testing.assert_allclose(alone, read, rtol=0, atol=1e-5)
    order = np.random.default_rng(1).permutation(np.arange(2 * BATCH + 3) % len(chips))
    np.testing.assert_allclose(network.describe(chips[order]), read[order], rtol=0, atol=1e-5)
    np.testing.assert_allclose(network.describe(np.asfortranarray(chips)), read, rtol=0, atol=1e-5)
    assert network.describe(chips[:0]).shape == (0, 128)


def test_a_folded_affine_layer_is_the_same_function(
    weights: Weights, chips: np.ndarray, read: np.ndarray
) -> None:
    assert "affine" not in {layer.shape.kind for layer in fold(weights.layers)}
    np.testing.assert_allclose(Network(weights).describe(chips[:6]), read[:6], rtol=0, atol=1e-5)


def test_threads_are_set_for_the_network_only(weights: Weights, chips: np.ndarray, read: np.ndarray) -> None:
    before = torch.get_num_threads()
    got = Network(weights, threads=before + 1).describe(chips[:4])
    assert torch.get_num_threads() == before
    np.testing.assert_allclose(got, read[:4], rtol=0, atol=1e-5)


def test_the_smaller_map_is_extended_by_zeros_at_the_ends() -> None:
    rng = np.random.default_rng(2)
    many, wide = rng.normal(size=(2, 4, 1, 3)), rng.normal(size=(2, 2, 2, 2))
    wanted = np.zeros((2, 4, 2, 3))
    wanted[:, :, :1, :] += many
    wanted[:, :2, :, :2] += wide
    for a, b in ((many, wide), (wide, many)):
        np.testing.assert_allclose(_add_prev(torch.tensor(a), torch.tensor(b)).numpy(), wanted)


def test_the_whole_file_is_used(data: bytes, weights: Weights) -> None:
    """29 convolutions, as dlib-models says of it; and nearly every byte is a weight's."""
    kinds = [shape.kind for shape in PUBLISHED]
    assert (kinds.count("con"), kinds.count("affine"), kinds.count("fc")) == (29, 29, 1)
    held = 4 * sum(layer.weights.size + layer.bias.size for layer in weights.layers)
    assert 0 < len(data) - held < 10_000
    np.testing.assert_allclose(weights.mean, (122.782, 117.001, 104.298), rtol=1e-6)


def test_a_file_cut_short_anywhere_is_one_clear_error(data: bytes) -> None:
    rng = np.random.default_rng(3)
    ends = [*range(FIRST_FILTERS + 3), *map(int, rng.integers(0, len(data), 40)), len(data) - 1]
    view = memoryview(data)
    for end in ends:
        with pytest.raises(InstrumentError, match=r"cut\.dat is not dlib's .* \(byte \d+: .*give an intact"):
            parse(view[:end], "cut.dat")


def test_bytes_that_follow_the_network_are_refused(data: bytes) -> None:
    with pytest.raises(InstrumentError, match="the network ends here, 1 bytes follow"):
        parse(data + b"\0", "long")


def test_every_changed_byte_of_the_structure_is_found_where_it_is(data: bytes) -> None:
    """Versions, names, sizes, strides, padding; not: weights, mean colour, rates and states of training."""
    start = FIRST_FILTERS + 4 * 4736
    head = bytearray(data[: start + 100])  # the next layer's weights are missing: an unseen change ends there
    for at in (*range(17), *range(29, 312), *range(330, FIRST_FILTERS), *range(start, start + 34)):
        for mask in (0x01, 0x40):
            head[at] ^= mask
            with pytest.raises(InstrumentError) as caught:
                parse(head, "changed")
            head[at] ^= mask
            found = int(re.search(r"\(byte (\d+):", str(caught.value)).group(1))
            assert at < found <= at + 40, f"byte {at}: {caught.value}"


def test_a_changed_byte_anywhere_is_an_error_or_one_changed_number(data: bytes, weights: Weights) -> None:
    changed = bytearray(data)
    rng = np.random.default_rng(4)
    outcomes = []
    for at in map(int, rng.integers(FIRST_FILTERS, len(data), 12)):
        changed[at] ^= 0x10
        try:
            got = parse(changed, "changed")
        except InstrumentError:
            outcomes.append("error")
        else:
            pairs = list(zip(got.layers, weights.layers, strict=True))
            assert [a.shape for a, _ in pairs] == list(PUBLISHED)
            outcomes.append(
                sum(int((a.weights != b.weights).sum() + (a.bias != b.bias).sum()) for a, b in pairs)
            )
        changed[at] ^= 0x10
    assert set(outcomes) <= {"error", 0, 1}
    assert 1 in outcomes


def test_weights_that_are_not_finite_are_refused(data: bytes) -> None:
    changed = bytearray(data[:30_000])
    changed[FIRST_FILTERS : FIRST_FILTERS + 4] = np.float32(np.nan).tobytes()
    with pytest.raises(InstrumentError, match="not finite"):
        parse(changed, "nan")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("0800000000000000 7f" * 4, "bytes wanted"),
        ("04ffffff7f" * 4, "bytes wanted"),
        ("0101 0101 8101 8101", "a tensor of"),
        ("01ff 0102 0103 0900", "no whole number"),
    ],
)
def test_huge_and_negative_sizes_cost_no_memory(data: bytes, sizes: str, message: str) -> None:
    at = data.index(EMPTY, FIRST_FILTERS + 4 * 4736)
    changed = data[: at + 2] + bytes.fromhex(sizes) + data[at + len(EMPTY) : at + 2000]
    tracemalloc.start()
    try:
        with pytest.raises(InstrumentError, match=message):
            parse(changed, "huge")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_tensors_that_training_left_are_passed_over(data: bytes, weights: Weights) -> None:
    at = data.index(EMPTY, FIRST_FILTERS + 4 * 4736)
    left = bytes.fromhex("0102 0101 0102 0101 0101") + bytes(8)
    got = parse(data[:at] + left + data[at + len(EMPTY) :], "left")
    for a, b in zip(got.layers, weights.layers, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)


def test_foreign_files(data: bytes, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for n in range(200):
        with pytest.raises(InstrumentError):
            parse(rng.bytes(n), "noise")
        keep = int(rng.integers(0, FIRST_FILTERS))
        with pytest.raises(InstrumentError):
            parse(data[:keep] + rng.bytes(1000), "half noise")
    other = weights_path().with_name("mmod_human_face_detector.dat")
    if other.is_file():  # dlib's too, another network
        with pytest.raises(InstrumentError, match="loss_metric_2"):
            read_weights(other)
    large = tmp_path / "large.dat"
    with large.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(InstrumentError, match="larger than 64 MB"):
        read_weights(large)
    with pytest.raises(InstrumentError, match="cannot be read"):
        read_weights(tmp_path)
