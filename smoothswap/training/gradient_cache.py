"""Gradient caching (GradCache, Gao et al. 2021): a large batch in the memory of a small one, with the same gradient.

A contrastive loss needs all embeddings at once, but not all activations. Embed the batch chunk by chunk and keep the
embeddings only; d loss / d z follows from them; then run one chunk after the other again, this time for its gradient.
That is activation checkpointing with a chunk as its unit, so torch's does the work: every chunk runs twice, the second
time in the backward pass with the random numbers of the first. The step that calls it looks as without chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def embed_in_chunks(
    embed: Callable[[Tensor], Tensor], network: nn.Module, faces: Tensor, chunk: int
) -> Tensor:
    """embed(faces), of which at most `chunk` faces' activations exist at a time.

    The gradient is that of the whole batch (to rounding) where faces do not see each other: networks without
    BatchNorm, or with BatchNorm in eval mode. In train mode its statistics are those of a chunk, as they are
    those of one GPU's share in data-parallel training, and the gradient is exactly the one of such a batch.
    Running statistics move once a chunk, in order. The mode of the network must not change before the
    backward pass.

    Args:
        embed: Runs `network` on part of the batch, and opens its autocast context itself: then parts add up
            in float32.
        network: Its buffers are put back after the second run, so that they count each chunk once.
        faces: [n, ...].
        chunk: Faces a part; 0, or one that holds the whole batch: plain embed(faces).

    Returns:
        Embeddings [n, dim], in the order of the faces.
    """
    if not 0 < chunk < len(faces):
        return embed(faces)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _buffers_kept(network)  # of the first run, and of the second

    parts = [checkpoint(embed, part, use_reentrant=False, context_fn=contexts) for part in faces.split(chunk)]
    return torch.cat(parts)


@contextmanager
def _buffers_kept(network: nn.Module) -> Iterator[None]:
    """Undo what a run does to the buffers: without it, running statistics would count every chunk twice."""
    kept = [(buffer, buffer.clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, old in kept:
                buffer.copy_(old)
