"""Training of the identity embedder (paper, Section 4.1): batches of P people x K photos, augmented.

`loss` chooses among the paper's contrastive loss and those it is compared with. Data, draws, augmentation, network and
schedule are the same for all, so that two embedders of one seed differ in their loss alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Generator as Rng
from torch import Tensor, nn

from smoothswap.augment import augment
from smoothswap.config import EmbedderConfig
from smoothswap.data.faces import FaceData
from smoothswap.losses.embedder import (
    MarginLoss,
    SoftmaxLoss,
    contrastive_loss,
    supcon_in_loss,
    supcon_out_loss,
)
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.precision import autocast
from smoothswap.training import distributed
from smoothswap.training.distributed import Draws, gather
from smoothswap.training.gradient_cache import embed_in_chunks
from smoothswap.training.loop import finite

VALIDATION_PEOPLE, VALIDATION_VIEWS = 150, 6


def compiled(module: nn.Module, wanted: bool) -> nn.Module:
    """torch.compile's form of a module for fixed shapes, or the module itself; it shares the parameters.

    Args:
        module: The network.
        wanted: Whether to compile it, at its first call.
    """
    return cast(nn.Module, torch.compile(module, dynamic=False)) if wanted else module


def embedder_loss(config: EmbedderConfig, people: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss that `config.loss` names.

    Args:
        config: The training's options; the loss reads its own and network.dim.
        people: How many have class weights in arcface, cosface and softmax; the others do not use it.

    Returns:
        What makes a scalar of z [n, dim] and labels int64 [n] below `people`; a module where the loss has
        weights, which are drawn here from torch's own generator.

    Raises:
        ValueError: An unknown name, with a suggestion.
    """
    c, dim = config, config.network.dim
    makers: dict[str, Callable[[], Callable[[Tensor, Tensor], Tensor]]] = {
        "contrastive": lambda: partial(contrastive_loss, temperature=c.temperature),
        "supcon_out": lambda: partial(supcon_out_loss, temperature=c.temperature),
        "supcon_in": lambda: partial(supcon_in_loss, temperature=c.temperature),
        "arcface": lambda: MarginLoss(people, dim, c.scale, angle=c.arcface_margin),
        "cosface": lambda: MarginLoss(people, dim, c.scale, cosine=c.cosface_margin),
        "softmax": lambda: SoftmaxLoss(people, dim),
    }
    if c.loss not in makers:
        near = difflib.get_close_matches(c.loss, makers, 1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"unknown loss {c.loss!r}{hint} Losses: {', '.join(makers)}")
    return makers[c.loss]()


def verification_auc(z: Tensor, labels: Tensor) -> float:
    """Area under the ROC curve of cosine similarity over all pairs, 0 to 1, 0.5 by chance; ties count half.

    Args:
        z: Embeddings [n, d] of unit norm.
        labels: Whose they are, [n]: at least two of one person, and another's.

    Examples:
        >>> z = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> verification_auc(z, torch.tensor([0, 0, 1]))
        1.0
    """
    upper = torch.triu(torch.ones(len(z), len(z), dtype=torch.bool), 1)
    same = (labels[:, None] == labels[None, :])[upper]
    scores = (z @ z.T)[upper]
    _, inverse, counts = scores.unique(return_inverse=True, return_counts=True)
    ranks = (counts.cumsum(0) - (counts - 1) / 2).double()[inverse]  # mid-ranks, from 1
    positives, negatives = int(same.sum()), int((~same).sum())
    return float((ranks[same].sum() - positives * (positives + 1) / 2) / (positives * negatives))


@torch.no_grad()
def embed_all(embedder: nn.Module, data: FaceData, people: range, batch: int = 256) -> Tensor:
    """Embeddings of every photo of some people, unaugmented.

    Args:
        embedder: The network, which its caller has put in eval mode.
        data: The faces, of its size.
        people: Numbers of people, without gaps.
        batch: Photos a forward pass.

    Returns:
        float32 [photos, d] in order of the photos' numbers, on the embedder's device.
    """
    device = next(embedder.parameters()).device
    photos = torch.arange(data.photos)[(data.owner >= people.start) & (data.owner < people.stop)]
    return torch.cat([embedder(data.load(part).to(device)) for part in photos.split(batch)])


def drawn_people(config: EmbedderConfig, data: FaceData) -> Tensor:
    """Whom batches are drawn from: the training people, those with too few photos as `few_photos` says.

    Args:
        config: Its people, photos, few_photos and neighbours count.
        data: The faces.

    Returns:
        Numbers of people, int64 [n], increasing; a person's class label is the place in it.

    Raises:
        ValueError: A batch of P people x K photos does not fit the data, or an option is out of its range.
    """
    c, counts = config, data.counts[: data.train_people]
    if c.few_photos not in ("leave_out", "repeat"):
        raise ValueError(f"few_photos is {c.few_photos!r}; choose one of leave_out, repeat")
    drawn = (counts >= (c.photos if c.few_photos == "leave_out" else 1)).nonzero()[:, 0]
    if c.people > len(drawn) or c.photos < 2 or c.people < 2:
        raise ValueError(
            f"a batch of people={c.people} x photos={c.photos} does not fit the data: {len(drawn)} of "
            f"{data.train_people} training people (the most photos: {data.views}) can be drawn; needed are 2 or more of "
            "each, and no more than there are. few_photos=repeat draws people with fewer photos too"
        )
    if c.neighbours < 1 or c.people % c.neighbours:
        raise ValueError(f"neighbours={c.neighbours} must be 1 or more and divide people={c.people}")
    return drawn


def draw_classes(available: int, people: int, neighbours: int, rng: Rng) -> Tensor:
    """Different numbers for a batch, in runs of `neighbours` consecutive ones.

    The runs begin on a grid whose offset is drawn, so any two that follow each other may come together.

    Args:
        available: The numbers are 0 to available - 1.
        people: How many are drawn, at most `available`.
        neighbours: The length of a run, which divides `people`; 1: each for itself.
        rng: A generator on the CPU.

    Returns:
        int64 [people].
    """
    if neighbours == 1:
        return torch.randperm(available, generator=rng)[:people]
    spare = available - people  # an offset that leaves runs enough
    offset = int(torch.randint(min(neighbours, spare + 1), (), generator=rng))
    runs = torch.randperm((available - offset) // neighbours, generator=rng)[: people // neighbours]
    return (offset + runs[:, None] * neighbours + torch.arange(neighbours)).flatten()


class EmbedderTask:
    """One embedder and its optimiser on `device`; a Task for training.Run. A batch is that of all ranks together."""

    part: str = "embedder"
    columns: tuple[str, ...] = ("loss", "grad_norm")
    validation_columns: tuple[str, ...] = ("auc", "auc_augmented", "cos_same", "cos_other")

    def __init__(
        self,
        config: EmbedderConfig,
        data: FaceData,
        provenance: dict[str, Any],
        device: torch.device | str = "cpu",
    ) -> None:
        c = self.config = config
        self.data, self.provenance, self.device = data, provenance, torch.device(device)
        self.memory: dict[str, float] = {}
        self.drawn = drawn_people(config, data)
        self.held = (
            data.train_people + (data.counts[data.train_people :] >= 2).nonzero()[:VALIDATION_PEOPLE, 0]
        )
        if len(self.held) < 2:
            raise ValueError(
                "validation needs two held-out people with two photos each; hold out more, or others"
            )
        distributed.check_batch(c.people * c.photos, f"a batch of people={c.people} x photos={c.photos}")
        batch = c.people * c.photos // distributed.world()  # of this rank
        if batch < 2:
            raise ValueError("one face a rank; BatchNorm needs 2: raise people or photos, or use fewer ranks")
        if c.sync_batchnorm and self.device.type == "cpu":
            raise ValueError(
                "sync_batchnorm=true needs GPUs (torch.nn.SyncBatchNorm has no CPU code); without it, BatchNorm reads "
                "each rank's own share of the batch"
            )
        if c.chunk < 0 or (0 < c.chunk < batch and (c.chunk == 1 or batch % c.chunk)):
            whose = "batch of" if distributed.world() == 1 else "rank's"
            parts = ", ".join(str(part) for part in range(2, batch) if batch % part == 0)
            raise ValueError(
                f"chunk={c.chunk} does not part the {whose} {batch} faces evenly, 2 or more in each; "
                f"choose one of {parts}, or 0 for the whole"
            )
        torch.manual_seed(c.seed)
        self.rng = Rng().manual_seed(c.seed)
        self.embedder = Embedder(c.network).to(self.device).to(memory_format=torch.channels_last)
        if c.sync_batchnorm:
            self.embedder = nn.SyncBatchNorm.convert_sync_batchnorm(self.embedder)
        self.forward = compiled(self.embedder, c.compile)
        self.loss = embedder_loss(c, len(self.drawn))  # drawn after the embedder, which is the same for all
        if isinstance(self.loss, nn.Module):
            self.loss.to(self.device)
        distributed.part_ways(c.seed)
        self.modules: dict[str, nn.Module] = {"embedder": self.embedder}
        if isinstance(self.loss, nn.Module):
            self.modules["loss"] = self.loss
        lrs = {"embedder": c.lr, "loss": c.lr * c.loss_lr}
        optimiser = torch.optim.AdamW(
            [{"params": list(module.parameters()), "lr": lrs[name]} for name, module in self.modules.items()],
            weight_decay=c.weight_decay,
        )
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
        self.optimisers: dict[str, torch.optim.Optimizer] = {"embedder": optimiser}

    @torch.no_grad()
    def begin_classes(self) -> None:
        """Put each class weight where the embedder, as it is, has the mean of that person's photos; of unit norm.

        For a run that starts from an embedder trained without class weights: random ones are far from everybody, and of
        many people each comes too seldom to be found.
        """
        if isinstance(self.loss, nn.Module):
            self.embedder.eval()
            means = self.data.person_means(embed_all(self.embedder, self.data, range(self.data.people)).cpu())
            weight = cast(Tensor, self.loss.weight)
            weight.copy_(nn.functional.normalize(means[self.drawn], dim=1))

    def step(self, step: int) -> dict[str, float]:
        """One step of the optimiser on a batch of people; what the log says of it."""
        c = self.config
        classes = draw_classes(len(self.drawn), c.people, c.neighbours, self.rng)
        people = self.drawn[classes]
        views = self.data.deal(people, c.photos, self.rng)
        batch = c.people * c.photos
        rows = distributed.mixed_rows(batch, c.seed + step)  # this rank's
        labels = classes.repeat_interleave(c.photos)[rows]
        photos = self.data.photo(people[:, None], views).flatten()[rows]
        faces = augment(self.data.load(photos).to(self.device), c.augment, Draws(self.rng, rows, batch))
        if 0 < c.chunk < batch:  # in order, a chunk's BatchNorm statistics would tell who is in it
            order = torch.randperm(batch, generator=self.rng)
            places = torch.isin(order, rows).nonzero()[:, 0]
            own = torch.searchsorted(rows, order[places])
            faces, labels, rows = faces[own], labels[own], places
        labels = labels.to(self.device)
        self.embedder.train()
        share = min(1.0, (step + 1 - c.adversarial_start) / max(c.adversarial_warmup, 1))
        if c.adversarial and share > 0:
            faces = self._attack(faces, labels, share, Draws(self.rng, rows, batch))
        loss = self._loss(faces, labels)
        optimiser = self.optimisers["embedder"]
        optimiser.zero_grad()
        loss.backward()
        distributed.average_gradients(optimiser)
        norm = nn.utils.clip_grad_norm_(self.embedder.parameters(), c.clip)  # not the loss's own weights
        values = distributed.average({"loss": loss.item(), "grad_norm": norm.item()})
        finite(**values)
        optimiser.step()
        return values

    def _loss(self, faces: Tensor, labels: Tensor) -> Tensor:
        """The chosen loss of the batch, together with the other ranks' where torch.distributed is in use."""
        z = embed_in_chunks(self._embed, self.embedder, faces, self.config.chunk)
        return self.loss(*gather(z, labels))

    def _embed(self, faces: Tensor) -> Tensor:
        with autocast(self.config.precision, self.device.type):
            return cast(Tensor, self.forward(faces))

    def _attack(
        self, faces: Tensor, labels: Tensor, share: float = 1.0, draws: Draws | None = None
    ) -> Tensor:
        """One signed gradient step from a random start (Wong et al. 2020) that raises the loss: a harder batch.

        The bound is drawn for every face, up to `share` of `adversarial`, so plain faces stay among them. The generator
        will climb this embedder's gradient; a robust embedder's points at features of faces rather than at faint patterns.
        """
        draws = draws or Draws(self.rng)
        bound = share * self.config.adversarial * draws.rand(len(faces), 1, 1, 1).to(faces)
        start = bound * (draws.rand(*faces.shape).to(faces) * 2 - 1)
        seen = (faces + start).requires_grad_()
        (slope,) = torch.autograd.grad(self._loss(seen, labels), seen)
        return faces + (start + 1.25 * bound * slope.sign()).clamp(-bound, bound)

    @torch.no_grad()
    def finish(self) -> None:
        """Measure the BatchNorm statistics anew on training faces without augmentation, as the embedder will see them.

        Those of training belong to augmented faces; plain ones would all lie on one side of them, and every pair of
        people would seem alike.
        """
        norms = [m for m in self.embedder.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if not self.config.recalibrate:
            return
        kept = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over the batches
        self.embedder.train()
        rng = Rng().manual_seed(self.config.seed + 1)
        for _ in range(self.config.recalibrate):
            people = torch.randint(self.data.train_people, (256,), generator=rng)
            self.embedder(self.data.get(people, self.data.draw(people, rng)).to(self.device))
        for norm, momentum in zip(norms, kept, strict=True):
            norm.momentum = momentum

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """On held-out people: AUC over all pairs, as photographed and under augmentation, and the mean cosines."""
        self.embedder.eval()
        index = torch.cartesian_prod(self.held, torch.arange(min(self.data.views, VALIDATION_VIEWS)))
        index = index[index[:, 1] < self.data.counts[index[:, 0]]]
        labels, rng = index[:, 0], Rng().manual_seed(1)
        clean, hard = [], []
        for part in index.split(256):
            faces = self.data.get(part[:, 0], part[:, 1]).to(self.device)
            clean.append(self.embedder(faces).cpu())
            hard.append(self.embedder(augment(faces, self.config.augment, rng)).cpu())
        z = torch.cat(clean)
        cosines, same = z @ z.T, labels[:, None] == labels[None, :]
        own = torch.eye(len(z), dtype=torch.bool)
        return {
            "auc": verification_auc(z, labels),
            "auc_augmented": verification_auc(torch.cat(hard), labels),
            "cos_same": float(cosines[same & ~own].mean()),
            "cos_other": float(cosines[~same].mean()),
        }

    def picture(self) -> np.ndarray | None:
        """Eight held-out faces above their augmented views: what the embedder is trained on, to be looked at."""
        people = torch.arange(self.data.train_people, self.data.people)[:8]
        faces = self.data.get(people, torch.zeros_like(people))
        return grid([faces, augment(faces, self.config.augment, Rng().manual_seed(2))])


def grid(rows: list[Tensor]) -> np.ndarray:
    """Rows of images [n, 3, s, s] in [-1, 1] -> one picture uint8 [rows * s * 2, n * s * 2, 3], enlarged twice."""
    from smoothswap.tensors import to_pixels

    picture = np.concatenate([np.concatenate(list(to_pixels(row)), 1) for row in rows], 0)
    return picture.repeat(2, 0).repeat(2, 1)
