"""One training over many processes (ranks), and everything that they say to each other.

The rules, which make N ranks take the steps of one:
- Every rank draws the whole batch's random numbers from the same seeded generator and keeps its own rows (`Draws`), so what
  is drawn does not depend on the number of ranks. Dropout's masks alone are each rank's own (`part_ways`).
- The embedder's losses read the embeddings of all ranks (`gather`); the swapper's are means over images, so the mean of
  the ranks' equal shares is the whole batch's. Gradients are averaged (`average_gradients`), then clipped.
- A rank of the swapper takes every N-th image. Minibatch standard deviation puts image i into group i mod (number of
  groups), so where a rank's share divides into groups of stddev_group, they are the groups of one rank.
- BatchNorm has each rank's statistics unless it is SyncBatchNorm, and the running ones kept are rank 0's.
- Only rank 0 validates and writes (`lead`); all ranks stop at the same step (`highest`).

accelerate finds the device and forms the process group, for whatever launched the processes. Its DistributedDataParallel
is not used: R1 differentiates twice and its discriminator runs twice a step, the attack takes gradients without
accumulating them, and gradient caching runs networks again in the backward pass, all of which that wrapper's hooks limit.
One averaging after the backward pass needs no wrapper, and names in checkpoints stay those of one process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Generator as Rng
from torch import Tensor, nn
from torch.optim import Optimizer

from smoothswap.device import DEVICE_ERRORS, default, unusable, usable
from smoothswap.errors import UsageError


class PeerError(RuntimeError):
    """Another rank failed, which says itself why; this one stops with it."""


def join(device: str = "auto") -> torch.device:
    """The device of this process ("auto": a GPU where there is one), with the process group formed if a launcher asks.

    torchrun and accelerate launch tell by the environment; the group is nccl on GPUs and gloo on CPUs. One process alone
    forms none. Raises UsageError for a device that is not there, or one GPU's number given to several ranks.
    """
    launched = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if launched and device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device {device} would be every rank's; choose auto, cpu, or cuda for a GPU each")
    if not launched or dist.is_initialized():
        return torch.device(usable(device))
    name = default() if device == "auto" else device
    try:
        if name == "cuda":
            torch.cuda.init()  # raises where there is none, before every rank would think itself alone
        from accelerate import PartialState

        found = PartialState(cpu=name == "cpu").device
    except DEVICE_ERRORS as error:
        raise unusable(device, error) from None
    return torch.device(usable(str(found)))


def leave() -> None:
    """Take the process group apart, after the last step."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def world() -> int:
    """Number of ranks; 1 for a process alone."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Number of this process among the ranks, from 0."""
    return dist.get_rank() if world() > 1 else 0


def check_batch(batch: int, what: str) -> None:
    """Refuse a batch that does not part evenly over the ranks.

    Args:
        batch: Faces a batch, of all ranks together.
        what: Its options with their values, with which the error begins: "batch=8".

    Raises:
        ValueError: The number of ranks does not divide it.
    """
    if batch % world():
        raise ValueError(f"{what} does not part evenly over {world()} ranks; choose a multiple of {world()}")


def strided_rows(batch: int) -> Tensor:
    """Rows of the whole batch that are this rank's, every world()-th: int64 [batch / world]."""
    return torch.arange(batch)[rank() :: world()]


def mixed_rows(batch: int, seed: int) -> Tensor:
    """Rows of the whole batch that are this rank's, drawn anew for each `seed`, in order.

    In a fixed order, a rank's BatchNorm statistics would tell who is on it. One rank has all rows, and
    nothing is drawn.

    Args:
        batch: Rows of all ranks together.
        seed: The same on every rank, another at each step.

    Returns:
        int64 [batch / world], increasing; every row is one rank's.
    """
    if world() == 1:
        return torch.arange(batch)
    return torch.randperm(batch, generator=Rng().manual_seed(seed))[rank() :: world()].sort().values


class Draws:
    """Random numbers, one row a face, for some `rows` of a whole batch of `batch`: the generator gives all of them.

    With no `batch` the rows are the whole. The generator is on the CPU, on every rank in the same state.
    """

    def __init__(self, rng: Rng | None, rows: Tensor | None = None, batch: int = 0) -> None:
        self.rng, self.rows, self.batch = rng, rows, batch

    def rand(self, n: int, *shape: int) -> Tensor:
        """Uniform on [0, 1).

        Args:
            n: Faces here, not of the whole batch.
            *shape: Of one face's numbers; none: one number a face.

        Returns:
            float32 [n, *shape], on the CPU.
        """
        return self._mine(torch.rand, n, shape)

    def randn(self, n: int, *shape: int) -> Tensor:
        """Normal, of mean 0 and standard deviation 1.

        Args:
            n: Faces here, not of the whole batch.
            *shape: Of one face's numbers; none: one number a face.

        Returns:
            float32 [n, *shape], on the CPU.
        """
        return self._mine(torch.randn, n, shape)

    def _mine(self, draw: Callable[..., Tensor], n: int, shape: tuple[int, ...]) -> Tensor:
        if self.rows is None or self.batch == n:
            return draw(n, *shape, generator=self.rng)
        return draw(self.batch, *shape, generator=self.rng)[self.rows]


def part_ways(seed: int) -> None:
    """Give torch's own generator, which draws dropout, another state on every rank but 0: after the networks are drawn."""
    if rank():
        torch.manual_seed(seed + 1_000_003 * rank())


def agree(modules: dict[str, nn.Module]) -> None:
    """Copy rank 0's parameters and buffers to the others, so that all start from the same bits."""
    if world() > 1:
        for module in modules.values():
            for tensor in module.state_dict().values():
                plain = tensor.detach().contiguous()
                dist.broadcast(plain, 0)
                tensor.copy_(plain)


def average_gradients(optimiser: Optimizer) -> None:
    """Average the gradients of an optimiser's parameters over ranks, in one message."""
    if world() == 1:
        return
    grads = [p.grad for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= world()
    for g, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        g.copy_(part.view(g.shape))


def average(values: dict[str, float]) -> dict[str, float]:
    """Means over ranks. A value that is not finite anywhere is not finite everywhere."""
    if world() == 1:
        return values
    sums = torch.tensor(list(values.values()), dtype=torch.float64, device=_device())
    dist.all_reduce(sums)
    return dict(zip(values, (sums / world()).tolist(), strict=True))


def highest(*flags: int) -> list[int]:
    """The largest of each flag over ranks: what one rank wants, all do."""
    if world() == 1:
        return [int(flag) for flag in flags]
    both = torch.tensor([int(flag) for flag in flags], device=_device())
    dist.all_reduce(both, dist.ReduceOp.MAX)
    found: list[int] = both.tolist()
    return found


def lead(work: Callable[[], None]) -> None:
    """Run `work` on rank 0 while the others wait. What it raises, rank 0 raises; the others raise PeerError."""
    error: Exception | None = None
    if rank() == 0:
        try:
            work()
        except Exception as raised:  # noqa: BLE001  # raised below, once the others know
            error = raised
    if highest(error is not None)[0]:
        raise error or PeerError("rank 0 failed")


def of_all_ranks(x: Tensor) -> list[Tensor]:
    """The tensors that every rank holds under this call, in order of rank, on the CPU; all of one shape and type."""
    return [part.cpu() for part in _all(x.to(_device()))] if world() > 1 else [x]


def _device() -> torch.device:
    """Where messages lie: gloo takes the CPU's memory, nccl a GPU's."""
    return (
        torch.device("cuda", torch.cuda.current_device())
        if dist.get_backend() == "nccl"
        else torch.device("cpu")
    )


class _GatherRows(torch.autograd.Function):
    """Rows [n, d] of all ranks in order of rank, [world * n, d]; the own part keeps its gradient."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        return torch.cat(_all(rows))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # Each rank knows d loss / d z of all rows and takes its own: no communication. Times the number of ranks,
        # because the parameters' gradients are averaged afterwards and the true one is the sum over ranks.
        return gradient.chunk(dist.get_world_size())[dist.get_rank()] * dist.get_world_size()


def _all(x: Tensor) -> list[Tensor]:
    parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, x.contiguous())
    return parts


def gather(z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings and labels of all ranks; where there is one rank, what was given.

    Compute the whole batch's loss from them on every rank, in the same way, and average the gradients of all
    parameters over ranks, as `average_gradients` and DistributedDataParallel do. The result is then the
    gradient of one rank that holds the whole batch, for the network and for a loss with weights. (BatchNorm
    still has each rank's statistics, unless it is SyncBatchNorm.)

    Args:
        z: Embeddings of this rank's faces, [n, d].
        labels: Whose they are, [n], on the same device.

    Returns:
        [world * n, d] and [world * n], in order of rank; gradients flow to this rank's rows alone.

    Raises:
        ValueError: On every rank, where ranks hold batches of different sizes.
    """
    if world() == 1:
        return z, labels
    sizes = [int(size) for size in _all(torch.tensor(len(z), device=z.device))]
    if len(set(sizes)) > 1:
        raise ValueError(f"ranks hold batches of {sizes} faces; draw the same number on every rank")
    rows: Tensor = _GatherRows.apply(z)
    return rows, torch.cat(_all(labels))
