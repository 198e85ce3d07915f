"""SSIM, PSNR and LPIPS over a mask, against scikit-image and the authors' LPIPS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import metrics as skimage

from metrics import MetricError
from metrics.frames.outside import PSNR_MAX, of_pixels, psnr, ssim
from metrics.instruments import InstrumentError
from metrics.pictures.lpips import SMALLEST, Lpips
from tests.support.scenes import sides


def pair(seed: int, size: tuple[int, int] = (70, 90)) -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture, and the same with noise and another brightness."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.uniform(0, 255, (*size, 3)), (3, 3, 0))
    a = (128 + (smooth - smooth.mean()) * 6).clip(0, 255)
    b = a * rng.uniform(0.8, 1) + rng.normal(0, 12, a.shape)
    return a.astype(np.uint8), b.clip(0, 255).astype(np.uint8)


def half(size: tuple[int, int] = (70, 90)) -> np.ndarray:
    kept = np.zeros(size, bool)
    kept[:, : size[1] // 2] = True
    return kept


@pytest.mark.parametrize("seed", range(4))
def test_psnr_and_ssim_are_scikit_images(seed: int) -> None:
    a, b = pair(seed)
    everything, left = np.ones(a.shape[:2], bool), half()
    assert psnr(a, b, everything) == pytest.approx(skimage.peak_signal_noise_ratio(a, b, data_range=255))
    assert psnr(a, b, left) == pytest.approx(
        skimage.peak_signal_noise_ratio(a[:, :45], b[:, :45], data_range=255)
    )
    grey = [picture @ np.array([0.299, 0.587, 0.114]) for picture in (a, b)]
    _, wanted = skimage.structural_similarity(
        *grey, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert ssim(a, b, everything) == pytest.approx(wanted.mean(), abs=1e-12)
    assert ssim(a, b, left) == pytest.approx(wanted[left].mean(), abs=1e-12)
    assert 0.05 < ssim(a, b, everything) < 0.95


def test_the_ends() -> None:
    a, b = pair(9)
    everything, nothing = np.ones(a.shape[:2], bool), np.zeros(a.shape[:2], bool)
    assert (psnr(a, a, everything), ssim(a, a, everything)) == (PSNR_MAX, pytest.approx(1))
    assert np.isnan([psnr(a, b, nothing), ssim(a, b, nothing)]).all()
    one = a.copy()
    one[0, 0, 0] ^= 1  # a single level in a single place lies beyond the end
    assert psnr(a, one, everything) == PSNR_MAX
    black, white = np.zeros_like(a), np.full_like(a, 255)
    assert psnr(black, white, everything) == 0
    for broken in (a[:-1], a[..., 0]):
        with pytest.raises(ValueError, match="do not belong together"):
            psnr(broken, b, everything)


def test_what_lies_off_the_mask_changes_nothing() -> None:
    a, b = pair(3)
    other = b.copy()
    other[:, 51:] = 255 - other[:, 51:]  # six pixels from the mask's last column: beyond the window of SSIM
    assert ssim(a, other, half()) == pytest.approx(ssim(a, b, half()), abs=1e-12)
    assert psnr(a, other, half()) == psnr(a, b, half())


def test_a_metric_that_was_not_measured_is_named() -> None:
    with pytest.raises(MetricError, match="ssim_outside was not measured"):
        of_pixels(sides(pixels={}), "ssim_outside")


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    """The authors' module: its own linear layers, AlexNet by lot, since ImageNet's weights cannot be had here."""
    lpips = pytest.importorskip("lpips", reason="lpips, the oracle of LPIPS, is not installed")
    torch.manual_seed(2)
    with pytest.MonkeyPatch.context() as patch:
        alexnet = lpips.pretrained_networks.tv.alexnet
        patch.setattr(lpips.pretrained_networks.tv, "alexnet", lambda pretrained: alexnet(weights=None))
        return lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)


@pytest.mark.filterwarnings("ignore")  # of torchvision's older arguments
def test_lpips_is_its_authors(theirs: torch.nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "lpips-alex.pth"
    torch.save(theirs.state_dict(), path)
    ours = Lpips(path)
    assert len(ours.weights_sha256) == 64
    for seed, size in ((0, (64, 64)), (1, (70, 90)), (2, (SMALLEST, 45))):
        a, b = pair(seed, size)
        x, y = (torch.from_numpy(p).permute(2, 0, 1)[None].float() / 127.5 - 1 for p in (a, b))
        with torch.inference_mode():
            wanted = float(theirs(x, y))
        assert wanted > 1e-3
        assert ours(a, b) == pytest.approx(wanted, rel=1e-5)
        assert ours(a, a) == 0


@pytest.mark.filterwarnings("ignore")
def test_half_of_lpips_is_refused_with_the_line_that_makes_it(
    theirs: torch.nn.Module, tmp_path: Path
) -> None:
    state = theirs.state_dict()
    path = tmp_path / "alexnet.pth"
    torch.save({key: value for key, value in state.items() if key.startswith("net.")}, path)
    with pytest.raises(InstrumentError, match=r"7 keys are missing .*pip install lpips, then python -c"):
        Lpips(path)
    torch.save({**state, "scaling_layer.scale": torch.zeros(1, 3, 1, 1)}, path)
    with pytest.raises(InstrumentError, match="scales colours by 0"):
        Lpips(path)
