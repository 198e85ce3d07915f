"""Two ranks with half of the batch each against one rank with the whole: the same gradients for every loss."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.parallel import DistributedDataParallel

from smoothswap.config import EmbedderConfig
from smoothswap.networks.options import EmbedderOptions
from smoothswap.training.distributed import gather
from smoothswap.training.embedder import embedder_loss
from smoothswap.training.gradient_cache import embed_in_chunks

pytestmark = pytest.mark.slow  # two more processes import torch
LOSSES = ["contrastive", "supcon_out", "supcon_in", "arcface", "cosface", "softmax"]


class Net(nn.Module):
    """A small network on the unit sphere; with a chunk, it embeds its share of the batch with gradient caching."""

    def __init__(self, chunk: int = 0) -> None:
        super().__init__()
        self.chunk = chunk
        self.layers = nn.Sequential(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 4))

    def forward(self, x: Tensor) -> Tensor:
        return normalize(embed_in_chunks(self.layers, self.layers, x, self.chunk), dim=1)


def batch() -> tuple[Tensor, Tensor]:
    x = torch.randn(12, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return x, torch.tensor(
        [0, 1, 2, 0, 1, 4, 0, 3, 3, 2, 4, 4]
    )  # 1 and 2 have their positives on one rank or across


def gradients(name: str, ranks: int, rank: int, chunk: int = 0) -> dict[str, Tensor]:
    """The loss and the gradients, averaged by DistributedDataParallel, of rank's share of the batch."""
    torch.manual_seed(1)
    net: nn.Module = Net(chunk).double()
    loss = embedder_loss(EmbedderConfig(loss=name, network=EmbedderOptions(dim=4)), 5)
    if isinstance(loss, nn.Module):
        loss = loss.double()
    if ranks > 1:
        net = DistributedDataParallel(net)
        loss = DistributedDataParallel(loss) if isinstance(loss, nn.Module) else loss
    x, labels = (part.chunk(ranks)[rank] for part in batch())
    value = loss(*gather(net(x), labels))
    value.backward()
    modules = [net, loss] if isinstance(loss, nn.Module) else [net]
    named = [p.grad for m in modules for p in m.parameters()]
    return {"loss": value.detach(), **{str(i): g for i, g in enumerate(named) if g is not None}}


def work(rank: int, folder: str) -> None:
    """What one of two ranks does: gradients of all losses, and a batch that does not fit."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    for name in LOSSES:
        save_file(gradients(name, 2, rank), f"{folder}/{name}.{rank}")
    save_file(gradients("contrastive", 2, rank, chunk=2), f"{folder}/chunks.{rank}")
    try:
        gather(torch.zeros(3 + rank, 4), torch.zeros(3 + rank))
    except ValueError as error:
        Path(folder, f"said.{rank}").write_text(str(error))
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    mp.spawn(work, (str(folder),), nprocs=2)
    return folder


@pytest.mark.parametrize("name", [*LOSSES, "chunks"])
def test_two_ranks_give_the_gradients_of_one(name: str, two_ranks: Path) -> None:
    one = gradients(name.replace("chunks", "contrastive"), 1, 0)
    for rank in range(2):
        both = load_file(two_ranks / f"{name}.{rank}")
        assert both.keys() == one.keys()
        for key, value in both.items():
            assert one[key].abs().max() > 1e-6
            torch.testing.assert_close(value, one[key], rtol=1e-10, atol=1e-10)


def test_without_the_other_rank_s_faces_the_gradient_is_another() -> None:
    torch.manual_seed(1)
    net, (x, labels) = Net().double(), batch()
    loss = embedder_loss(EmbedderConfig(), 5)
    own = [
        torch.autograd.grad(loss(net(x[part]), labels[part]), net.layers[0].weight)[0]
        for part in (slice(6), slice(6, 12))
    ]
    whole = gradients("contrastive", 1, 0)["0"]
    assert ((own[0] + own[1]) / 2 - whole).norm() > 0.1 * whole.norm()


def test_batches_of_different_sizes_are_refused_on_every_rank(two_ranks: Path) -> None:
    for rank in range(2):
        said = (two_ranks / f"said.{rank}").read_text()
        assert said == "ranks hold batches of [3, 4] faces; draw the same number on every rank"


def test_one_process_gathers_nothing() -> None:
    x, labels = batch()
    rows, people = gather(x, labels)
    assert rows is x
    assert people is labels
