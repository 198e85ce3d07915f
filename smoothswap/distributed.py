"""Losses over the batch of all ranks: every rank sees the embeddings of all, so negatives come from every GPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


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
    """Embeddings and labels of all ranks: [n, d], [n] -> [world * n, d], [world * n]; itself where there is one rank.

    Compute the whole batch's loss from them on every rank, in the same way, and average the gradients of all
    parameters over ranks, as DistributedDataParallel and accelerate do. The result is then the gradient of one rank
    that holds the whole batch, for the network and for a loss with weights. (BatchNorm still has each rank's
    statistics, unless it is SyncBatchNorm.)

    Raises ValueError, on every rank, where ranks hold batches of different sizes.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return z, labels
    sizes = [int(size) for size in _all(torch.tensor(len(z), device=z.device))]
    if len(set(sizes)) > 1:
        raise ValueError(f"ranks hold batches of {sizes} faces; draw the same number on every rank")
    rows: Tensor = _GatherRows.apply(z)
    return rows, torch.cat(_all(labels))
