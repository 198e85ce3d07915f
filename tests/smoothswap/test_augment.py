"""Augmentation: deterministic, differentiable, off when off."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch._subclasses.fake_tensor import FakeTensorMode

from smoothswap.augment import AugmentOptions, augment

OFF = AugmentOptions(**{f.name: type(f.default)(0) for f in dataclasses.fields(AugmentOptions)})  # type: ignore[arg-type,call-overload]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def faces(n: int = 4) -> torch.Tensor:
    return torch.rand(n, 3, 16, 16, generator=rng(9)) * 1.8 - 0.9


def test_everything_off_is_the_image() -> None:
    x = faces()
    torch.testing.assert_close(augment(x, OFF, rng()), x, rtol=0, atol=1e-5)


def test_blur_is_a_binomial_filter_with_repeated_edges() -> None:
    x = faces().double()
    blurred = augment(x, dataclasses.replace(OFF, blur=1.0), rng())
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    for image, got in zip(x, blurred, strict=True):
        for channel, values in zip(image.numpy(), got.numpy(), strict=True):
            np.testing.assert_allclose(values, convolve(channel, kernel, mode="nearest"), atol=1e-5)


def test_a_seed_is_a_view() -> None:
    x = faces()
    assert torch.equal(augment(x, AugmentOptions(), rng(1)), augment(x, AugmentOptions(), rng(1)))
    assert not torch.equal(augment(x, AugmentOptions(), rng(1)), augment(x, AugmentOptions(), rng(2)))


def test_a_sure_flip_mirrors() -> None:
    x = faces()
    flipped = augment(x, dataclasses.replace(OFF, flip=1.0), rng())
    torch.testing.assert_close(flipped, x.flip(3), rtol=0, atol=1e-5)


def test_grayscale_and_erasing_do_what_they_say() -> None:
    x = faces()
    grey = augment(x, dataclasses.replace(OFF, grayscale=1.0), rng())
    assert grey.std(1).max() < 1e-5
    erased = augment(x, dataclasses.replace(OFF, erase=1.0, erase_count=1, erase_size=1.0), rng())
    changed = ((erased - x).abs() > 1e-3).any(1)
    assert 0 < changed.float().mean() < 1


@pytest.mark.parametrize("options", [AugmentOptions(), AugmentOptions(gamma=1.0, brightness=1.0)])
def test_gradients_reach_the_image_and_are_finite(options: AugmentOptions) -> None:
    x = (torch.rand(2, 3, 16, 16, generator=rng(3)) * 4 - 2).requires_grad_()  # beyond [-1, 1] too
    augment(x, options, rng()).square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert (x.grad != 0).any()


def test_gradient_is_right() -> None:
    options = dataclasses.replace(AugmentOptions(), noise=0.0, erase=1.0)
    x = (torch.rand(1, 3, 6, 6, dtype=torch.float64, generator=rng(4)) - 0.5).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: augment(v, options, rng(5)), (x,))


def test_views_stay_on_the_device_of_their_images() -> None:
    """A GPU that need not be there: fake tensors have shapes and devices, and refuse to be mixed with the CPU's."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        x = torch.zeros(2, 3, 16, 16, device="cuda")
        for options in (AugmentOptions(), dataclasses.replace(AugmentOptions(), gamma=0.0, blur=0.0)):
            view = augment(x, options, rng())
            assert (view.device.type, view.shape) == ("cuda", x.shape)
        with pytest.raises(RuntimeError, match="same device"):
            x + torch.zeros(3, 16, 16)
