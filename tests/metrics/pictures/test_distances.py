"""FID and KID against torch-fidelity and explicit loops on shared features; the two feature extractors."""

from __future__ import annotations

import pickle
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch
from scipy import linalg, ndimage
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kernel_poly, mmd2

from metrics.instruments.base import InstrumentError
from metrics.instruments.networks.inception_fid import InceptionFID
from metrics.pictures.distances import frechet_distance, frechet_of_moments, kernel_distance, kid
from metrics.pictures.features import (
    FID_FILE,
    INCEPTION_FILE,
    FIDInception,
    Inception,
    filter_bank,
    open_inception,
)


def features(seed: int, n: int = 400, d: int = 24) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ np.random.default_rng(seed + 100).normal(size=(d, d)) + 0.1 * seed


def fidelity_fid(a: np.ndarray, b: np.ndarray) -> float:
    moments = [fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b)]
    return float(fid_statistics_to_metric(*moments, verbose=False)["frechet_inception_distance"])


def test_the_frechet_distance_is_torch_fidelitys_and_scipys() -> None:
    a, b = features(0), features(1, 500)
    ours = frechet_distance(a, b)
    assert ours == pytest.approx(fidelity_fid(a, b), rel=1e-12)
    (m1, c1), (m2, c2) = ((x.mean(axis=0), np.cov(x, rowvar=False)) for x in (a, b))
    root = linalg.sqrtm(c1 @ c2).real
    assert ours == pytest.approx(np.sum((m1 - m2) ** 2) + np.trace(c1 + c2 - 2 * root), rel=1e-12)
    assert ours == pytest.approx(frechet_of_moments(m1, c1, m2, c2), rel=1e-12)


def test_fewer_pictures_than_features_need_no_patched_root() -> None:
    """Covariances without full rank, where roots in doubles lose half of the digits: against 50 digits."""
    a, b = features(2, 4, 8), features(3, 5, 8)
    with mpmath.workdps(50):
        moments = []
        for x in (a, b):
            m = mpmath.matrix(x.tolist())
            mean = mpmath.matrix([[sum(m[:, k]) / m.rows for k in range(8)]])
            centred = m - mpmath.ones(m.rows, 1) * mean
            moments.append((mean, centred.T * centred / (m.rows - 1)))
        (m1, c1), (m2, c2) = moments
        values, q = mpmath.eigsy(c1)
        root = q * mpmath.diag([mpmath.sqrt(max(v, 0)) for v in values]) * q.T
        cross = sum(mpmath.sqrt(max(v, 0)) for v in mpmath.eigsy(root * c2 * root, eigvals_only=True))
        trace = sum(c1[k, k] + c2[k, k] for k in range(8))
        expected = float(mpmath.norm(m1 - m2) ** 2 + trace - 2 * cross)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-10)


def test_known_gaussians() -> None:
    """Sets with exact moments: N(0, 1) against N(3, 4) in each of two dimensions: 2 (9 + (2 - 1)^2)."""
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * np.sqrt(3 / 4)
    assert frechet_distance(corners, 2 * corners + 3) == pytest.approx(20, rel=1e-14)
    assert frechet_of_moments([0, 0], np.eye(2), [3, 3], 4 * np.eye(2)) == pytest.approx(20, rel=1e-14)


def test_the_kernel_distance_is_torch_fidelitys_and_a_loops() -> None:
    a, b = features(4, 30, 8), features(5, 30, 8)
    kernel = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
    theirs = mmd2(*(kernel_poly(x, y, **kernel) for x, y in ((a, a), (a, b), (b, b))))
    assert kernel_distance(a, b) == pytest.approx(theirs, rel=1e-12)

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / len(x) + 1) ** 3)

    c = features(6, 17, 8)
    expected = (
        np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
        + np.mean([k(x, y) for i, x in enumerate(c) for j, y in enumerate(c) if i != j])
        - 2 * np.mean([k(x, y) for x in a for y in c])
    )
    assert kernel_distance(a, c) == pytest.approx(expected, rel=1e-12)


def test_kid_is_unbiased_where_the_frechet_distance_is_not() -> None:
    sets = [np.random.default_rng(i).normal(size=(40, 12)) for i in range(200)]
    pairs = list(zip(sets[::2], sets[1::2], strict=True))
    values = np.array([kernel_distance(a, b) for a, b in pairs])
    assert abs(values.mean()) < 3 * values.std() / 10
    assert min(frechet_distance(a, b) for a, b in pairs) > 0.5
    result = kid(features(7), features(8), subsets=7, subset_size=50, seed=1)
    assert (result.subsets, result.subset_size) == (7, 50)
    assert result == kid(features(7), features(8), subsets=7, subset_size=50, seed=1)
    assert result.mean == pytest.approx(kernel_distance(features(7), features(8)), abs=4 * result.deviation)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: frechet_distance(f, f[:, 1:]), "of one network"),
        (lambda f: frechet_distance(f, f[:1]), "two or more"),
        (lambda f: kernel_distance(f, np.full_like(f, np.nan)), "NaN or infinity"),
        (lambda f: kid(f, f), "choose a smaller subset_size"),
        (lambda f: frechet_of_moments([0], [[1, 2]], [0], [[1]]), "symmetric matrix"),
        (lambda f: frechet_of_moments([0, 0], [[1]], [0], [[1]]), "same d"),
        (lambda f: filter_bank(np.zeros((1, 64, 64), np.uint8)), "must be uint8"),
        (lambda f: filter_bank(np.zeros((1, 16, 64, 3), np.uint8)), "32 pixels or more"),
        (lambda f: filter_bank(np.zeros((1, 64, 64, 3))), "must be uint8"),
    ],
)
def test_bad_input_is_one_clear_error(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call(features(0, 20, 4))


def pictures(seed: int, n: int = 60, size: int = 64) -> np.ndarray:
    """Coloured random textures with a natural (1 / f) spectrum."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None]) + 1 / size
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(n, 3, size, size))) / f).real
    mixed = np.einsum("ij,njhw->nhwi", np.eye(3) + 0.8, noise)
    return np.clip(128 + 45 * mixed / mixed.std(), 0, 255).astype(np.uint8)


def test_the_filter_bank_distance_grows_with_every_damage() -> None:
    a, b = pictures(0), pictures(1)
    reference = filter_bank(a)
    assert reference.shape == (60, 36)
    assert np.isfinite(reference).all()
    clean = frechet_distance(reference, filter_bank(b))
    rng = np.random.default_rng(2)
    damages = {
        "blur": [ndimage.gaussian_filter(b, (0, s, s, 0)) for s in (0.5, 1.0, 2.0)],
        "noise": [np.clip(b + rng.normal(0, s, b.shape), 0, 255).astype(np.uint8) for s in (4, 10, 25)],
        "contrast": [(128 + (b - 128.0) * c).astype(np.uint8) for c in (0.8, 0.6, 0.3)],
        "colour": [np.clip(b * np.array([1, 1 - c, 1]), 0, 255).astype(np.uint8) for c in (0.1, 0.3, 0.6)],
    }
    for name, damaged in damages.items():
        values = [clean, *(frechet_distance(reference, filter_bank(x)) for x in damaged)]
        assert (np.diff(values) > 0).all(), (name, values)
    np.testing.assert_array_equal(filter_bank(a[5:7]), reference[5:7])  # no matter what is read beside it
    assert not np.allclose(filter_bank(a[..., ::-1])[:, 2:6], reference[:, 2:6])  # RGB is not BGR


def test_the_filter_bank_reads_rgb() -> None:
    red = np.zeros((1, 32, 32, 3), np.uint8)
    red[..., 0] = 255
    got = filter_bank(red)[0]
    assert got[0] == pytest.approx(0.299)  # ITU-R BT.601 luma of red
    np.testing.assert_allclose(got[[2, 4]], [-0.299, 0.701])  # blue - luma, red - luma
    np.testing.assert_allclose(got[[1, 3, 5]], 0, atol=1e-12)
    # Flat: no response but what truncated second-derivative kernels leak.
    np.testing.assert_allclose(got[6:], np.log(1e-3), atol=0.05)


@pytest.fixture(scope="module")
def fid_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the layout of pytorch-fid's file: those of torch-fidelity's own module, which are the same."""
    torch.manual_seed(1)
    network = InceptionFID()
    for name, tensor in network.state_dict().items():
        if tensor.dim() == 4:
            torch.nn.init.kaiming_normal_(tensor)
        elif name.endswith(("bn.weight", "running_var")):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("bn.bias", "running_mean")):
            tensor.normal_(0, 0.1)
    path = tmp_path_factory.mktemp("weights") / FID_FILE
    torch.save(network.state_dict(), path)
    return path


def test_fids_network_is_torch_fidelitys(fid_file: Path) -> None:
    """Features and FID, from the file to the number, beside torch-fidelity's own; theirs reads every key of it too."""
    theirs = FeatureExtractorInceptionV3("theirs", ["2048"], feature_extractor_weights_path=str(fid_file))
    extractor = open_inception(fid_file)
    assert isinstance(extractor, FIDInception)
    assert extractor.name == "pt_inception-2015-12-05"
    sets = []
    for seed, size in ((10, 128), (11, 96)):  # enlarged as TensorFlow did
        images = pictures(seed, 4, size)
        got = extractor(images, batch_size=3)
        with torch.inference_mode():
            wanted = theirs(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous())[0].double().numpy()
        assert wanted.std(axis=0).mean() > 1e-3  # the network tells these pictures apart
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6 * np.abs(wanted).max())
        sets.append((got, wanted))
    (a, b), (c, d) = sets
    assert frechet_distance(a, c) == pytest.approx(frechet_distance(b, d), rel=1e-6)
    # Their own root of a matrix of 2,048 x 2,048 takes a minute; on 40 of the features it is the same formula.
    assert frechet_distance(a[:, :40], c[:, :40]) == pytest.approx(
        fidelity_fid(b[:, :40], d[:, :40]), rel=1e-6, abs=1e-6
    )
    assert extractor(images[:0]).shape == (0, 2048)


def test_a_file_is_known_by_its_classes(fid_file: Path, inception_file: Path, tmp_path: Path) -> None:
    assert isinstance(open_inception(inception_file), Inception)
    with pytest.raises(InstrumentError, match=f"no Inception weights at .*give {FID_FILE}.*pytorch-fid"):
        open_inception(tmp_path / "none.pth")
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(
        InstrumentError, match=r"neither Inception: it has no fc\.bias; expected pt_inception"
    ):
        open_inception(tmp_path / "other.pth")
    with pytest.raises(InstrumentError, match=r"does not fit: .*expected pt_inception"):
        FIDInception(inception_file)
    state = torch.load(fid_file, weights_only=True)
    torch.save({**state, "Conv2d_1a_3x3.bn.bias": torch.full((32,), float("nan"))}, tmp_path / "nan.pth")
    with pytest.raises(InstrumentError, match="not finite"):
        open_inception(tmp_path / "nan.pth")


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / INCEPTION_FILE
    torch.save(inception_v3(weights=None, init_weights=False).state_dict(), path)
    return path


def test_inception_gives_the_pool_of_torchvisions_network(inception_file: Path) -> None:
    from torchvision.models import inception_v3

    images = pictures(3, 3, 80)
    extractor = Inception(inception_file)
    got = extractor(images, batch_size=2)
    assert got.shape == (3, 2048)
    assert len(extractor.weights_sha256) == 64
    network = inception_v3(weights=None, init_weights=False, transform_input=True).eval()
    network.load_state_dict(torch.load(inception_file, weights_only=True))
    pooled: list[torch.Tensor] = []
    network.avgpool.register_forward_hook(lambda _m, _i, out: pooled.append(out.flatten(1)))
    # torchvision's own road: ImageNet normalisation, which transform_input turns into -1..1.
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    x = torch.nn.functional.interpolate(x, (299, 299), mode="bilinear", antialias=True) / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.inference_mode():
        network((x - mean) / std)
    np.testing.assert_allclose(got, pooled[0].numpy(), atol=1e-4 * np.abs(got).max())
    assert extractor(images[:0]).shape == (0, 2048)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("run by a pickle",))


def test_wrong_files_are_refused_and_no_pickle_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InstrumentError, match=f"download .*{INCEPTION_FILE}"):
        Inception(tmp_path / "none.pth")
    torch.save({"fc.bias": torch.zeros(5)}, tmp_path / "other.pth")
    with pytest.raises(InstrumentError, match="not the state of torchvision's inception_v3"):
        Inception(tmp_path / "other.pth")
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InstrumentError, match="not the state"):
        Inception(tmp_path / "evil.pth")
    assert "run by a pickle" not in capsys.readouterr().out
