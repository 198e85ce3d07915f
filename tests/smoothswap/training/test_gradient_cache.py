"""Gradient caching against the whole batch: gradients, BatchNorm's statistics, random numbers, and the memory it saves."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from smoothswap.config import EmbedderConfig
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.options import EmbedderOptions
from smoothswap.networks.precision import autocast
from smoothswap.training.embedder import embedder_loss
from smoothswap.training.gradient_cache import embed_in_chunks

OPTIONS = EmbedderOptions(backbone="lite", size=16, hidden=16, dim=8, width=4, blocks=(1, 1))
LOSSES = ["contrastive", "supcon_out", "supcon_in", "arcface", "cosface", "softmax"]


def batch(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    colour = (
        torch.rand(12, 3, 1, 1, dtype=dtype, generator=rng) * 2 - 1
    )  # noise alone would embed as one face
    faces = colour + 0.3 * torch.randn(12, 3, 16, 16, dtype=dtype, generator=rng)
    return faces.requires_grad_(), torch.arange(4).repeat(3)


def network(dtype: torch.dtype = torch.float64) -> Embedder:
    torch.manual_seed(0)
    net = Embedder(OPTIONS).to(dtype)
    net(batch(dtype)[0])  # moves the running statistics
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_var *= 0.3  # nearer to the batch's, lest all embeddings be one
    return net


def gradients(loss: Tensor, inputs: Tensor, *modules: nn.Module) -> list[Tensor]:
    loss.backward()
    return [inputs.grad, *(p.grad for m in modules for p in m.parameters())]  # type: ignore[list-item]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("chunk", [1, 3, 5, 12])
def test_gradients_are_those_of_the_whole_batch(name: str, chunk: int) -> None:
    torch.manual_seed(1)
    loss = embedder_loss(EmbedderConfig(loss=name, network=OPTIONS), 4)
    heads = [loss.double()] if isinstance(loss, nn.Module) else []
    (faces, labels), net = batch(), network().eval()
    whole = [g.clone() for g in gradients(loss(net(faces), labels), faces, net, *heads)]
    for module in (net, *heads):
        module.zero_grad(set_to_none=True)
    faces.grad = None
    parts = gradients(loss(embed_in_chunks(net, net, faces, chunk), labels), faces, net, *heads)
    for a, b in zip(parts, whole, strict=True):
        assert (a - b).norm() <= 1e-9 * b.norm()
        assert b.norm() > 1e-6


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_train_mode_is_a_batch_of_parts_and_counts_each_once(precision: str) -> None:
    (faces, labels), one = batch(torch.float32), network(torch.float32).train()
    other = copy.deepcopy(one)
    loss = embedder_loss(EmbedderConfig(network=OPTIONS), 4)

    def embed(net: nn.Module, x: Tensor) -> Tensor:
        with autocast(precision):
            return net(x)  # type: ignore[no-any-return]

    z = torch.cat([embed(one, part) for part in faces.split(4)])
    want = [g.clone() for g in gradients(loss(z, labels), faces, one)]
    faces.grad = None
    got = gradients(loss(embed_in_chunks(partial(embed, other), other, faces, 4), labels), faces, other)
    assert all(map(torch.equal, got, want))
    assert one.state_dict().keys() == other.state_dict().keys()
    assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))
    counts = {int(v) for k, v in other.state_dict().items() if k.endswith("num_batches_tracked")}
    assert counts == {1 + 3}  # one before, and one a chunk


def test_both_runs_of_a_chunk_see_the_same_random_numbers() -> None:
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.5), nn.Linear(16, 4)).double()
    x, labels = torch.randn(8, 5, dtype=torch.float64, requires_grad=True), torch.arange(4).repeat(2)
    loss = embedder_loss(EmbedderConfig(temperature=1.0), 4)

    def run(embed: Callable[[Tensor], Tensor]) -> list[Tensor]:
        net.zero_grad(set_to_none=True)
        x.grad = None
        torch.manual_seed(3)
        found = [g.clone() for g in gradients(loss(embed(x), labels), x, net)]
        return [*found, torch.rand(1)]  # the state afterwards, too

    want = run(lambda x: torch.cat([net(part) for part in x.split(2)]))
    got = run(lambda x: embed_in_chunks(net, net, x, 2))
    assert all(map(torch.equal, got, want))


def test_activations_of_one_chunk_exist_at_a_time() -> None:
    torch.manual_seed(4)
    x, labels = torch.randn(32, 5), torch.arange(16).repeat(2)
    loss = embedder_loss(EmbedderConfig(temperature=1.0), 16)
    net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 4))
    now = most = 0

    def count(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal now, most
        now += len(output)
        most = max(most, now)
        weakref.finalize(output.untyped_storage(), freed, len(output))

    def freed(rows: int) -> None:
        nonlocal now
        now -= rows

    for layer in net:
        if isinstance(layer, nn.Tanh):  # its backward pass needs its output
            layer.register_forward_hook(count)

    def peak(chunk: int) -> int:
        nonlocal most
        most = 0
        loss(embed_in_chunks(net, net, x, chunk), labels).backward()
        assert now == 0
        return most

    assert (peak(0), peak(4)) == (2 * 32, 2 * 4)
