"""The networks against the paper's table, known parameter counts and independent convolutions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d
from torch import nn

from smoothswap.losses.swapper import discriminator_loss
from smoothswap.networks import resample
from smoothswap.networks.discriminator import Discriminator, minibatch_stddev
from smoothswap.networks.embedder import DepthwisePool, Embedder
from smoothswap.networks.generator import Generator, ResBlock
from smoothswap.networks.options import DiscriminatorOptions, EmbedderOptions, GeneratorOptions
from smoothswap.networks.precision import autocast
from tests.support.learned import Learned

KERNEL = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("size", [(4, 4), (6, 10)])
def test_fir_resampling_is_upfirdn(size: tuple[int, int]) -> None:
    image = torch.randn(2, 3, *size, dtype=torch.float64)
    up, down = resample.fir_up(image), resample.fir_down(image)
    for n in range(2):
        for c in range(3):
            plane = image[n, c].numpy()
            zeros = np.zeros((2 * size[0], 2 * size[1]))
            zeros[::2, ::2] = plane  # a sample, then a zero
            wanted = convolve2d(np.pad(zeros, ((2, 1), (2, 1))), KERNEL * 4, "valid")
            np.testing.assert_allclose(up[n, c].numpy(), wanted, atol=1e-12)
            wanted = convolve2d(np.pad(plane, 1), KERNEL, "valid")[::2, ::2]
            np.testing.assert_allclose(down[n, c].numpy(), wanted, atol=1e-12)
            for pad in [(2, 2), (1, 1), (2, 1)]:
                blur = resample.fir_blur(image, pad)[n, c].numpy()
                wanted = convolve2d(np.pad(plane, (pad, pad)), KERNEL, "valid")
                np.testing.assert_allclose(blur, wanted, atol=1e-12)


def test_up_and_down_are_adjoint_up_to_gain() -> None:
    x, y = torch.randn(1, 2, 4, 4, dtype=torch.float64), torch.randn(1, 2, 8, 8, dtype=torch.float64)
    torch.testing.assert_close((resample.fir_up(x) * y).sum(), 4 * (x * resample.fir_down(y)).sum())


def test_plain_resampling_keeps_constants() -> None:
    x = torch.full((1, 1, 4, 4), 0.7)
    assert torch.equal(resample.plain_up(x), torch.full((1, 1, 8, 8), 0.7))
    torch.testing.assert_close(resample.plain_down(x), torch.full((1, 1, 2, 2), 0.7))


# The paper's table: the stage's blocks as (channels in, of the skip, out, resampled).
TABLE = {
    "down 1": [(64, 0, 64, 0), (64, 0, 64, 0), (64, 0, 64, 1)],
    "down 2": [(64, 0, 128, 0), (128, 0, 128, 0), (128, 0, 128, 1)],
    "down 3": [(128, 0, 128, 0), (128, 0, 128, 0), (128, 0, 128, 1)],
    "bottom": [(128, 0, 128, 0)] * 3,
    "up 1": [(128, 0, 128, 0), *[(128, 128, 128, 0)] * 3, (128, 0, 128, 1)],
    "up 2": [*[(128, 128, 128, 0)] * 3, (128, 0, 128, 1)],
    "up 3": [*[(128, 128, 128, 0)] * 2, (128, 64, 128, 0), (128, 0, 128, 1)],
    "up 4": [(128, 64, 64, 0), (64, 64, 64, 0), (64, 64, 64, 0)],
}


@pytest.mark.parametrize("resampling", ["fir", "plain"])
@pytest.mark.parametrize("shortcut_conv", ["channels", "channels_or_resample"])
@pytest.mark.parametrize("shortcut", ["before_concat", "after_concat"])
def test_every_stage_of_the_paper_has_its_parameters(
    shortcut: str, shortcut_conv: str, resampling: str
) -> None:
    def block(c_in: int, skip: int, c_out: int, resampled: int) -> int:
        seen = c_in + skip
        short = seen if shortcut == "after_concat" else c_in
        has_conv = short != c_out or (resampled and shortcut_conv == "channels_or_resample")
        convs = 9 * seen * c_out + c_out + 9 * c_out * c_out + c_out
        return 2 * seen + convs + 512 * c_out + c_out + 2 * c_out + (short * c_out + c_out) * bool(has_conv)

    with torch.device("meta"):
        g = Generator(GeneratorOptions(shortcut=shortcut, shortcut_conv=shortcut_conv, resampling=resampling))
    found = {f"down {i + 1}": count(g.down[i]) for i in range(3)}
    found["bottom"] = count(g.down[3]) + count(g.bottom)
    found |= {f"up {i + 1}": count(g.up[i]) + (count(g.middle) if i == 0 else 0) for i in range(4)}
    assert found == {stage: sum(block(*b) for b in blocks) for stage, blocks in TABLE.items()}
    attention = 2 * 128 + 4 * (128 * 128 + 128)
    ends = (27 * 64 + 64) + 2 * 64 + (9 * 64 * 3 + 3)  # conv in; norm and conv out
    assert count(g) == sum(found.values()) + attention + ends
    assert (
        round(count(g) / 1e6, 1)
        == {"before_concat": (10.0, 10.1), "after_concat": (10.3, 10.4)}[shortcut][
            shortcut_conv == "channels_or_resample"
        ]
    )


@pytest.mark.parametrize(("name", "millions"), [("adalin", 11.7), ("map", 11.0)])
def test_the_other_ways_in_cost_little(name: str, millions: float) -> None:
    with torch.device("meta"):
        generator = Generator(GeneratorOptions(identity_injection=name))
    assert round(count(generator) / 1e6, 1) == millions


def test_stages_have_the_paper_s_sizes_blocks_and_skips() -> None:
    options = GeneratorOptions()
    with torch.device("meta"):
        generator = Generator(options)
    sizes: list[tuple[int, ...]] = []
    attended: list[tuple[int, ...]] = []
    for stage in [*generator.down, *generator.up]:
        last = stage[-1]
        assert isinstance(last, ResBlock)
        last.register_forward_hook(lambda _m, _i, out: sizes.append(tuple(out.shape[1:])))
    generator.attention.register_forward_hook(lambda _m, _i, out: attended.append(tuple(out.shape[1:])))
    out = generator(torch.empty(1, 3, 256, 256, device="meta"), torch.empty(1, 512, device="meta"))
    assert sizes[:3] == [(64, 128, 128), (128, 64, 64), (128, 32, 32)]
    assert sizes[3:] == [(128, 32, 32), (128, 64, 64), (128, 128, 128), (128, 256, 256), (64, 256, 256)]
    assert attended == [(128, 32, 32)]
    assert out.shape == (1, 3, 256, 256)
    down, up = [len(s) for s in generator.down], [len(s) for s in generator.up]  # type: ignore[arg-type]
    assert [*down[:3], down[3] + 1] == [3, 3, 3, 3]  # the bottom's third block stands before the attention
    assert [up[0] + 1, *up[1:]] == [5, 4, 4, 3]
    blocks = [m for m in generator.modules() if isinstance(m, ResBlock)]
    with_skip = [b for b in blocks if b.norm0.num_channels != b.conv1.in_channels or b.shortcut_sees_skip]
    assert len(blocks) == 28
    assert sum(1 for s in generator.up for b in list(s)[:3]) == 12  # type: ignore[call-overload]
    assert with_skip
    assert all(b.identity.linear.in_features == 512 for b in blocks)  # identity enters every block


def test_every_generator_parameter_learns_and_identity_matters() -> None:
    torch.manual_seed(0)
    options = GeneratorOptions(
        size=16, width=8, channel_multipliers=(1, 2), identity_dim=6, init_scale=1.0, dropout=0.0
    )
    generator = Generator(options)
    x, z = torch.randn(2, 3, 16, 16), nn.functional.normalize(torch.randn(2, 6))
    out = generator(x, z)
    out.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())
    moved = (generator(x, -z) - out).abs().mean()
    weak = GeneratorOptions(**{**options.__dict__, "identity_scale": "unit"})
    other = Generator(weak)
    other.load_state_dict(generator.state_dict())
    assert moved > (other(x, -z) - other(x, z)).abs().mean() > 0  # sqrt_dim makes the identity louder
    torch.testing.assert_close(
        generator(x[:1], z[:1]), out[:1], rtol=1e-4, atol=1e-5
    )  # batch of one, same numbers


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 100}, "must be divisible by 8"),
        ({"shortcut": "none"}, "choose one of before_concat, after_concat"),
        ({"identity_injection": "film"}, "choose one of add, adalin, map"),
    ],
)
def test_wrong_generator_options_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GeneratorOptions(**values)  # type: ignore[arg-type]


def test_stylegan2_discriminator_has_its_known_size() -> None:
    with torch.device("meta"):
        discriminator = Discriminator(DiscriminatorOptions())
    assert round(count(discriminator) / 1e6, 2) == 28.86


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_discriminator_takes_any_batch(n: int) -> None:
    discriminator = Discriminator(DiscriminatorOptions(size=16, channel_base=64))
    faces = torch.randn(n, 3, 16, 16, requires_grad=True)
    logits = discriminator(faces)
    assert logits.shape == (n,)
    logits.sum().backward()
    assert faces.grad is not None
    assert faces.grad.isfinite().all()


@pytest.mark.parametrize("n", [1, 4, 6, 7, 8])
def test_minibatch_stddev_by_loops(n: int) -> None:
    x = torch.randn(n, 2, 3, 3, dtype=torch.float64)
    got = minibatch_stddev(x, 4)
    groups = -(-n // 4)
    for i in range(n):
        mates = [x[j].numpy() for j in range(n) if j % groups == i % groups]
        assert len(mates) <= 4
        want = np.sqrt(np.var(mates, axis=0) + 1e-8).mean()
        np.testing.assert_allclose(got[i, 2].numpy(), want, rtol=1e-10)
    assert torch.equal(got[:, :2], x)


def test_strided_convolution_blurs_first() -> None:
    discriminator = Discriminator(DiscriminatorOptions(size=8, channel_base=32))
    block = discriminator.body[1]
    x = torch.randn(1, 4, 8, 8)
    main = block.conv1  # type: ignore[union-attr]
    padded = np.stack([convolve2d(np.pad(p, 2), KERNEL, "valid") for p in x[0].numpy()])
    weight = (main.weight * main.scale).detach().numpy()  # type: ignore[operator,union-attr]
    want = sum(
        convolve2d(padded[c], weight[0, c, ::-1, ::-1], "valid")[::2, ::2] for c in range(4)
    )  # correlation = convolution with the flipped kernel
    want = np.where(want < 0, 0.2 * want, want) * np.sqrt(2)
    np.testing.assert_allclose(main(x)[0, 0].detach().numpy(), want, atol=1e-5)  # type: ignore[operator]


def test_plain_strided_convolution_does_not_blur() -> None:
    discriminator = Discriminator(DiscriminatorOptions(size=8, channel_base=32, resampling="plain"))
    block = discriminator.body[1]
    x = torch.randn(1, 4, 8, 8)
    for layer in (block.conv1, block.short):  # type: ignore[union-attr]
        weight = (layer.weight * layer.scale).detach().numpy()  # type: ignore[operator,union-attr]
        mode = "same" if weight.shape[-1] == 3 else "valid"
        want = sum(convolve2d(x[0, c].numpy(), weight[0, c, ::-1, ::-1], mode)[::2, ::2] for c in range(4))
        if layer.act:  # type: ignore[union-attr]
            want = np.where(want < 0, 0.2 * want, want) * np.sqrt(2)
        np.testing.assert_allclose(layer(x)[0, 0].detach().numpy(), want, atol=1e-5)  # type: ignore[operator]
    with pytest.raises(ValueError, match="resampling is 'none'; choose one of fir, plain"):
        DiscriminatorOptions(resampling="none")


@pytest.mark.parametrize("resampling", ["fir", "plain"])
def test_only_without_blur_a_grid_of_two_pixels_is_soon_seen(resampling: str, learned: Learned) -> None:
    """Generators leave such grids where they upsample; a discriminator that is blind to them lets them stay."""
    torch.manual_seed(learned.seed)
    discriminator = Discriminator(DiscriminatorOptions(16, 256, 32, resampling=resampling))
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.0, 0.99))
    grid = torch.ones(16, 16)
    grid[::2] = -1
    grid[:, ::2] *= -1
    losses = []
    for _ in range(110):
        smooth = torch.nn.functional.interpolate(torch.rand(16, 3, 4, 4) * 2 - 1, 16, mode="bicubic")
        with autocast(learned.precision):
            logits = discriminator(torch.cat([smooth[:8], smooth[8:] + 0.1 * grid])).float()
        loss = discriminator_loss(logits[:8], logits[8:])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    reached = float(np.mean(losses[-20:]) / (2 * np.log(2)))
    state = learned.below if resampling == "plain" else learned.above
    state("loss, share of chance", reached, 0.5)


def test_embedders_give_unit_vectors_of_the_asked_size() -> None:
    embedder = Embedder(
        EmbedderOptions(backbone="lite", size=16, width=8, blocks=(1, 1), hidden=16, dim=12)
    ).eval()
    z = embedder(torch.randn(3, 3, 16, 16))
    assert z.shape == (3, 12)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(3))
    with torch.device("meta"):
        paper = Embedder(EmbedderOptions())
    # ResNet-50 without its classifier, then 2048-1024-512 with biases and two BatchNorms
    assert count(paper) == 23_508_032 + (2048 * 1024 + 1024) + 2 * 1024 + (1024 * 512 + 512) + 2 * 512
    layers = [type(m) for m in paper.head]
    assert layers == [nn.Linear, nn.BatchNorm1d, nn.LeakyReLU, nn.Linear, nn.BatchNorm1d]


def test_depthwise_pool_is_a_convolution_as_large_as_the_map() -> None:
    torch.manual_seed(0)
    pool = DepthwisePool(5, 4).eval()
    x = torch.randn(3, 5, 4, 4)
    want = nn.functional.conv2d(x, pool.weight[:, None], groups=5).flatten(
        1
    )  # the norm starts as the identity
    torch.testing.assert_close(pool(x), want / (1 + pool.norm.eps) ** 0.5)
    with torch.no_grad():
        pool.weight.fill_(1 / 16)
    torch.testing.assert_close(pool(x), x.mean((2, 3)) / (1 + pool.norm.eps) ** 0.5)


@pytest.mark.parametrize("pool", ["mean", "depthwise"])
def test_only_the_depthwise_pool_knows_where_a_feature_is(pool: str) -> None:
    torch.manual_seed(0)
    embedder = Embedder(
        EmbedderOptions(backbone="lite", size=16, width=8, blocks=(1, 1), hidden=16, dim=12, pool=pool)
    ).eval()
    backbone = embedder.backbone
    moved = nn.Sequential(backbone.stem, backbone.stages)  # type: ignore[arg-type]
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        shuffled = moved(x).flip(3)
        same = (
            shuffled.mean((2, 3)) if backbone.pool is None else backbone.pool(shuffled)  # type: ignore[operator]
        )
        assert torch.allclose(same, backbone(x), atol=1e-6) == (pool == "mean")
    assert embedder(x).shape == (2, 12)


@pytest.mark.parametrize("pool", ["mean", "depthwise"])
def test_a_window_is_all_that_is_read(pool: str) -> None:
    torch.manual_seed(0)
    same = {"backbone": "lite", "width": 8, "blocks": (1, 1), "hidden": 16, "dim": 12, "pool": pool}
    small = Embedder(EmbedderOptions(size=16, **same)).eval()  # type: ignore[arg-type]
    large = Embedder(EmbedderOptions(size=24, window=(3, 5, 16), **same)).eval()  # type: ignore[arg-type]
    large.load_state_dict(small.state_dict())
    faces = torch.randn(2, 3, 24, 24, requires_grad=True)
    z = large(faces)
    torch.testing.assert_close(z, small(faces[:, :, 3:19, 5:21]))
    (slope,) = torch.autograd.grad(z[:, 0].sum(), faces)
    outside = torch.ones(24, 24, dtype=torch.bool)
    outside[3:19, 5:21] = False
    assert not slope[..., outside].any()
    assert slope[..., ~outside].any()


@pytest.mark.parametrize("window", [(0, 0), (10, 0, 16), (0, 9, 16), (-1, 0, 8), (0, 0, 25)])
def test_a_window_outside_the_input_is_refused(window: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no square inside 24 px"):
        EmbedderOptions(backbone="lite", size=24, blocks=(1, 1), window=window)


def test_unknown_backbone_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of resnet50, lite"):
        EmbedderOptions(backbone="vgg")
    with pytest.raises(ValueError, match="choose one of mean, depthwise"):
        EmbedderOptions(backbone="lite", pool="max")


def test_patches_are_pixels_laid_side_by_side() -> None:
    options = GeneratorOptions(
        size=16, width=8, channel_multipliers=(1, 2), identity_dim=4, dropout=0.0, patch=2
    )
    torch.manual_seed(0)
    generator = Generator(options)
    target, z = torch.rand(2, 3, 16, 16), F.normalize(torch.randn(2, 4), dim=1)
    assert torch.equal(generator(target, z), target)  # untrained, it changes nothing
    inner = Generator(dataclasses.replace(options, size=8, patch=1, init_scale=1.0))
    rest = {k: v for k, v in inner.state_dict().items() if not k.startswith(("conv_in", "conv_out"))}
    generator.load_state_dict({**generator.state_dict(), **rest})
    with torch.no_grad():  # the inner network on one of the four pixels: its place in, its place out
        generator.conv_in.weight.zero_()
        generator.conv_in.weight[:, ::4] = inner.conv_in.weight
        generator.conv_out.weight[::4] = inner.conv_out.weight
    swap, want = generator(target, z), inner(target[..., ::2, ::2], z)
    torch.testing.assert_close(swap[..., ::2, ::2], want)
    for i, j in ((0, 1), (1, 0), (1, 1)):
        assert torch.equal(swap[..., i::2, j::2], target[..., i::2, j::2])
    with pytest.raises(ValueError, match=r"levels \(at least 2\) of patches of 4 px"):
        GeneratorOptions(size=20, channel_multipliers=(1, 2), patch=4)


def test_an_embedder_reads_larger_faces_by_the_means_of_squares() -> None:
    options = EmbedderOptions(
        backbone="lite", size=16, width=8, blocks=(1, 1), hidden=8, dim=6, window=(2, 2, 12)
    )
    embedder, faces = Embedder(options).eval(), torch.rand(2, 3, 32, 32)
    small = faces.unflatten(3, (16, 2)).unflatten(2, (16, 2)).mean((3, 5))
    torch.testing.assert_close(embedder(faces), embedder(small))
    maps = embedder.maps(faces)
    assert [x.shape[-1] for x in maps] == [6, 3]
    torch.testing.assert_close(maps[-1].mean((2, 3)), embedder.backbone(small[..., 2:14, 2:14]))
