"""The three ways in for identity: against independent formulas, from an exact start, learning, with and without
checkpointing."""

from __future__ import annotations

import copy
from typing import Any, get_args

import pytest
import torch
import torch.nn.functional as F

from smoothswap.networks.generator import Generator, ResBlock
from smoothswap.networks.injection import INJECTIONS, AdaLIN, MapModulation
from smoothswap.networks.layers import group_norm
from smoothswap.networks.options import GeneratorOptions, IdentityInjection
from smoothswap.networks.precision import autocast
from tests.support.learned import Learned

NAMES = sorted(INJECTIONS)


def tiny(name: str, **changes: Any) -> GeneratorOptions:
    values: dict[str, Any] = {
        "size": 16,
        "width": 8,
        "channel_multipliers": (1, 2),
        "identity_dim": 6,
        "dropout": 0.0,
        "identity_map_size": 4,
        "identity_map_channels": 3,
    }
    return GeneratorOptions(identity_injection=name, **{**values, **changes})


def unit(n: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(n, 6, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.mark.parametrize("resampling", ["fir", "plain"])
@pytest.mark.parametrize("shortcut", ["before_concat", "after_concat"])
@pytest.mark.parametrize("name", NAMES)
def test_untrained_it_returns_the_target_exactly(name: str, shortcut: str, resampling: str) -> None:
    generator = Generator(tiny(name, shortcut=shortcut, resampling=resampling, dropout=0.1))
    target = torch.rand(2, 3, 16, 16) * 2 - 1
    assert torch.equal(generator(target, unit(2)), target)
    assert torch.equal(generator.eval()(target, unit(2)), target)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_the_vector_and_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    generator = Generator(tiny(name, init_scale=1.0))
    z = unit(2).requires_grad_()
    generator(torch.randn(2, 3, 16, 16), z).square().mean().backward()
    assert z.grad is not None
    assert (z.grad.abs().sum(1) > 1e-6).all()
    still = [k for k, p in generator.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert still == []


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_what_only_identity_can_tell(name: str, learned: Learned) -> None:
    """One target, two vectors, opposite wanted changes: blind to the vector, no change is best, a loss of 0.08."""
    torch.manual_seed(learned.seed)
    generator = Generator(tiny(name))
    target, z = torch.rand(1, 3, 16, 16).expand(2, -1, -1, -1), unit(2)
    change = torch.zeros(2, 3, 16, 16)
    change[0, :, :8] = 0.4  # the upper half brighter, or darker
    change[1, :, :8] = -0.4
    optimiser = torch.optim.Adam(generator.parameters(), lr=1e-2)
    for _ in range(40):
        with autocast(learned.precision):
            swapped = generator(target, z)
        loss = (swapped - target - change).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    learned.below("loss", loss.item(), 0.04)


def test_adalin_is_a_mix_of_instance_and_layer_norm() -> None:
    torch.manual_seed(0)
    layer = AdaLIN(tiny("adalin"), 5).double()
    h, z = torch.randn(3, 5, 4, 6, dtype=torch.float64) * 3 + 2, torch.randn(3, 6, dtype=torch.float64)
    h = h * torch.arange(1, 6, dtype=torch.float64)[:, None, None]  # channels of different spread
    with torch.no_grad():
        layer.mix.copy_(torch.tensor([-40.0, -1.0, 0.0, 2.0, 40.0]))
    rho = (1 / (1 + (-layer.mix.detach()).exp()))[:, None, None]
    both = rho * F.instance_norm(h, eps=1e-5) + (1 - rho) * F.layer_norm(h, h.shape[1:], eps=1e-5)
    gamma = z @ layer.gamma.weight.T + layer.gamma.bias
    beta = z @ layer.beta.weight.T + layer.beta.bias
    wanted = gamma[:, :, None, None] * both + beta[:, :, None, None]
    torch.testing.assert_close(layer(h, z), wanted, rtol=1e-10, atol=1e-10)
    small = torch.randn(1, 5, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, w: layer(x, w), (small, z[:1].requires_grad_()))


def test_adalin_starts_near_instance_norm_with_open_gates() -> None:
    layer = AdaLIN(tiny("adalin"), 8)
    torch.testing.assert_close(layer.mix.sigmoid(), torch.full((8,), 0.9))
    h = torch.randn(2, 8, 4, 4)
    with torch.no_grad():  # a vector of zeros leaves gamma 1 and beta 0
        got = layer(h, torch.zeros(2, 6))
    wanted = 0.9 * F.instance_norm(h, eps=1e-5) + 0.1 * F.layer_norm(h, h.shape[1:], eps=1e-5)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_adalin_keeps_its_statistics_in_full_precision() -> None:
    layer = AdaLIN(tiny("adalin"), 8)
    h = torch.randn(2, 8, 8, 8) + 30  # a mean that bfloat16 would blur by a tenth of the spread
    coarse = h.bfloat16()
    out = layer(coarse, torch.zeros(2, 6))
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), layer(coarse.float(), torch.zeros(2, 6)), rtol=1e-2, atol=1e-2)


def test_map_modulates_like_a_resized_map_and_only_near_its_cells() -> None:
    torch.manual_seed(0)
    o = tiny("map")
    layer, h = MapModulation(o, 8).double(), torch.randn(1, 8, 16, 16, dtype=torch.float64)
    code = torch.randn(1, 3, 4, 4, dtype=torch.float64)
    with torch.no_grad():
        large = F.interpolate(code, size=(16, 16), mode="bilinear", align_corners=False)
        gamma = torch.einsum("oi,nihw->nohw", layer.gamma.weight[:, :, 0, 0], large) + 1  # starts open
        beta = torch.einsum("oi,nihw->nohw", layer.beta.weight[:, :, 0, 0], large)
        wanted = gamma * group_norm(8).double()(h) + beta
        torch.testing.assert_close(layer(h, code), wanted, rtol=1e-10, atol=1e-10)
        other = code.clone()
        other[..., 0, 0] += 1  # the upper left cell covers 4 x 4 pixels and fades over two more
        moved = (layer(h, other) - layer(h, code)).abs().sum((0, 1))
    assert (moved[:4, :4] > 1e-6).all()
    assert (moved[6:] == 0).all()
    assert (moved[:, 6:] == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_made_once_a_forward_for_all_blocks(name: str) -> None:
    generator = Generator(tiny(name))
    made: list[torch.Tensor] = []
    read: list[torch.Tensor] = []
    generator.identity_code.register_forward_hook(lambda _m, _i, out: made.append(out))
    for block in generator.modules():
        if isinstance(block, ResBlock):
            block.identity.register_forward_hook(lambda _m, args, _o: read.append(args[1]))
    generator(torch.zeros(2, 3, 16, 16), unit(2))
    assert len(made) == 1
    assert len(read) == sum(isinstance(m, ResBlock) for m in generator.modules())
    assert all(code is made[0] for code in read)
    assert made[0].shape == ((2, 3, 4, 4) if name == "map" else (2, 6))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("name", NAMES)
def test_checkpointing_gives_the_same_gradients(name: str, dropout: float) -> None:
    torch.manual_seed(0)
    plain = Generator(tiny(name, init_scale=1.0, dropout=dropout))
    saving = Generator(tiny(name, init_scale=1.0, dropout=dropout, checkpointing=True))
    saving.load_state_dict(copy.deepcopy(plain.state_dict()))
    x, runs = torch.randn(2, 3, 16, 16), [0]
    saving.middle.conv0.register_forward_hook(lambda *_: runs.__setitem__(0, runs[0] + 1))
    outs, slopes, after = [], [], []
    for generator in (plain, saving):
        torch.manual_seed(1)  # of the dropout
        z = unit(2).requires_grad_()
        out = generator(x, z)
        out.square().mean().backward()
        outs.append(out)
        slopes.append([z.grad, *(p.grad for p in generator.parameters())])
        after.append(torch.rand(3))
    assert runs == [2]  # forward, and once more in the backward pass
    assert torch.equal(outs[0], outs[1])
    assert all(torch.equal(a, b) for a, b in zip(*slopes, strict=True))
    assert torch.equal(after[0], after[1])  # training goes on with the same random numbers
    with torch.no_grad():
        assert torch.equal(saving.eval()(x, unit(2)), plain.eval()(x, unit(2)))
    assert runs == [3]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_under_autocast(name: str) -> None:
    generator = Generator(tiny(name, init_scale=1.0, checkpointing=True))
    with torch.autocast("cpu", torch.bfloat16):
        out = generator(torch.randn(2, 3, 16, 16), unit(2))
    out.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())


def test_an_empty_map_is_refused() -> None:
    with pytest.raises(ValueError, match="identity_map_channels must be 1 or more"):
        tiny("map", identity_map_size=0)


def test_every_name_of_the_option_has_an_injection() -> None:
    assert tuple(INJECTIONS) == get_args(IdentityInjection)
