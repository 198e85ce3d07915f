"""Training of the swapper (paper, Sections 4.2 to 4.4): generator against discriminator and frozen embedder.

loss = lambda_id L_id + lambda_chg L_chg + lambda_adv L_adv; one generator forward a step serves both players. Source
embeddings of all faces are computed once, since the embedder is frozen.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator as Rng
from torch import Tensor, nn

from smoothswap.augment import augment
from smoothswap.config import SwapperConfig
from smoothswap.data.answers import Answers
from smoothswap.data.faces import FaceData
from smoothswap.losses.answer import answer_loss, perceptual_loss
from smoothswap.losses.swapper import (
    change_loss,
    discriminator_loss,
    generator_loss,
    identity_loss,
    identity_losses,
    r1_penalty,
)
from smoothswap.networks.discriminator import Discriminator
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator
from smoothswap.networks.precision import autocast, full
from smoothswap.training import distributed
from smoothswap.training.batches import Batches
from smoothswap.training.distributed import Draws
from smoothswap.training.embedder import compiled, embed_all, grid
from smoothswap.training.loop import finite

VALIDATION_PAIRS = 96
VALIDATION_ANSWERS = 64
PICTURE_PAIRS = 10


@dataclass(frozen=True, eq=False)
class Pairs:
    """Fixed pairs of different held-out people: source and target, int64 [n] numbers of people, and their views.

    The same for every training on the same data, whatever its seed, losses and embedder.
    """

    source: Tensor
    source_view: Tensor
    target: Tensor
    target_view: Tensor


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The EMA's swaps of the validation pairs: swaps, faces (the targets) float32 [n, 3, s, s] in [-1, 1], not clamped.

    found, wanted: [n, d] embeddings of the swaps and of the sources' photos; identity, change: [n] L_id and L_chg of each.
    """

    pairs: Pairs
    swaps: Tensor
    faces: Tensor
    found: Tensor
    wanted: Tensor
    identity: Tensor
    change: Tensor


def _check_options(
    config: SwapperConfig, embedder: Embedder, others: Sequence[Embedder], answers: Sequence[Answers]
) -> None:
    generator = config.generator
    if embedder.options.dim != generator.identity_dim or generator.size % embedder.options.size:
        raise ValueError(
            f"the embedder gives {embedder.options.dim} numbers at {embedder.options.size} px, the generator expects "
            f"{generator.identity_dim} at {generator.size} or a whole fraction of it; set generator.identity_dim and "
            "generator.size to fit"
        )
    if config.id_target not in ("view", "person"):
        raise ValueError(f"id_target is {config.id_target!r}; choose one of view, person")
    if config.d_steps < 1:
        raise ValueError(
            f"d_steps is {config.d_steps}; the discriminator needs 1 step or more to a generator step"
        )
    if config.id_views + config.id_plain < 1 or config.self_pairs > config.batch:
        raise ValueError("id_views and id_plain leave L_id without a view, or self_pairs exceeds batch")
    for other in others:
        if generator.size % other.options.size:
            raise ValueError(
                f"another embedder reads {other.options.size} px, the generator gives {generator.size}, no multiple of it"
            )
    if bool(config.answers) != bool(answers):
        raise ValueError(
            f"answers is {config.answers} and --answers names {len(answers)} folders: give both (--set answers=6, of "
            f"{config.batch} pairs a batch) or none"
        )
    if config.answers + config.self_pairs > config.batch:
        raise ValueError(
            f"answers {config.answers} and self_pairs {config.self_pairs} exceed the batch of {config.batch}"
        )


class SwapperTask:
    """Generator, its EMA and discriminator on `device`; a Task for training.Run. A batch is that of all ranks together.

    The embedder is frozen and not part of the state. L_id is the mean over it and `others`: a small network alone is
    soon satisfied by less than a face (the paper trains with one network, of another size). sources: the embedder's
    rows of all photos of `data`, [photos, d], where they are at hand already (embed_all). answers: swaps of the same people
    whose answer is known, for the first `config.answers` rows of a batch; of several folders in turn.
    """

    part: str = "swapper"
    columns: tuple[str, ...] = ("id", "chg", "adv", "d", "r1", "grad_norm")

    def __init__(  # noqa: PLR0913  # what train and bench.ablation choose between them
        self,
        config: SwapperConfig,
        data: FaceData,
        embedder: Embedder,
        provenance: dict[str, Any],
        judge: Embedder | None = None,
        device: torch.device | str = "cpu",
        others: Sequence[Embedder] = (),
        sources: Tensor | None = None,
        answers: Sequence[Answers] = (),
    ) -> None:
        c = self.config = config
        self.answers = answers
        self.data, self.provenance, self.device = data, provenance, torch.device(device)
        _check_options(c, embedder, others, answers)
        distributed.check_batch(c.batch, f"batch={c.batch}")
        torch.manual_seed(c.seed)
        self.rng = Rng().manual_seed(c.seed)
        last: dict[str, Any] = {"device": self.device, "memory_format": torch.channels_last}
        # On a CPU GroupNorm is ten times slower channels last, and the generator has more of it than of convolution.
        layout = torch.contiguous_format if self.device.type == "cpu" else torch.channels_last
        self.generator = Generator(c.generator).to(self.device).to(memory_format=layout)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.discriminator = Discriminator(c.discriminator).to(**last)
        self.embedder = embedder.eval().requires_grad_(False).to(**last)
        teachers = [self.embedder, *(other.eval().requires_grad_(False).to(**last) for other in others)]
        distributed.part_ways(c.seed)
        self.modules: dict[str, nn.Module] = {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
        }
        self.run_generator = compiled(self.generator, c.compile)
        self.run_discriminator = compiled(self.discriminator, c.compile)
        self.teachers = [compiled(teacher, c.compile) for teacher in teachers]
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": torch.optim.Adam(self.generator.parameters(), lr=c.lr, betas=(c.beta1, c.beta2)),
            "discriminator": torch.optim.Adam(
                self.discriminator.parameters(), lr=c.lr_d, betas=(c.beta1_d, c.beta2_d)
            ),
        }
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["initial_lr"] = group["lr"]
        if sources is None:
            sources = embed_all(self.embedder, data, range(data.people))  # [photos, d]
        self.sources = sources
        rows = [sources, *(embed_all(teacher, data, range(data.people)) for teacher in teachers[1:])]
        self.goals = rows  # of L_id, a row for each photo or for each person
        if c.id_target == "person":
            self.goals = [F.normalize(data.person_means(r.cpu()), dim=1).to(self.device) for r in rows]
        self.batches = Batches(c, data, sources, self.goals, answers, self.rng, self.device)
        self.judge = judge.eval().requires_grad_(False).to(self.device) if judge is not None else None
        self.validation_columns: tuple[str, ...] = ("val_id", "val_chg", "retrieval", "retrieval_target")
        if answers:
            self.columns = (*self.columns, "answer", "perceptual")
            self.validation_columns += ("val_answer",)
        if self.judge is not None:
            held = range(data.train_people, data.people)
            self.judge_rows = embed_all(self.judge, data, held)
            self.validation_columns += ("judge_retrieval", "judge_retrieval_target", "judge_cos")
        self.last_held_out: HeldOut | None = None  # of the last validate()
        self.memory = {"r1": 0.0}  # the last penalty, for the log between lazy steps

    def _faces(self, people: Tensor, views: Tensor) -> Tensor:
        return self.data.get(people, views).to(self.device)

    def step(self, step: int) -> dict[str, float]:
        """The discriminator's steps, then the generator's; what the log says of them."""
        c = self.config
        rows = distributed.strided_rows(c.batch)
        adversarial = step >= c.adv_start and c.lambda_adv > 0
        batch = self.batches.draw(rows, adversarial)
        draws = Draws(self.rng, rows, c.batch)
        self.generator.train()
        self.discriminator.requires_grad_(False)
        known, others = batch.known, ~batch.known
        values = {"adv": 0.0, "d": 0.0, **self.memory}
        with autocast(c.precision, self.device.type):
            swap = full(self.run_generator(batch.target, batch.z))
            views = [swap] if c.id_plain else []
            views += [augment(swap, c.id_augment, draws) for _ in range(c.id_views)]
            looks = torch.cat(views)
            seen = [teacher(looks) for teacher in self.teachers]
            fooled = self.run_discriminator(swap) if adversarial else None
            perceptual = self._perceptual(swap[known], batch.answer)
        lossy_id = torch.stack(
            [identity_loss(s, g.repeat(len(views), 1)) for s, g in zip(seen, batch.goals, strict=True)]
        ).mean()
        change = change_loss(swap[others], batch.target[others]) if others.any() else swap.new_zeros(())
        loss = c.lambda_id * lossy_id + c.lambda_chg * change
        values |= {"id": lossy_id.item(), "chg": change.item()}
        if self.answers:
            answer = answer_loss(swap[known], batch.answer) if known.any() else swap.new_zeros(())
            loss = loss + c.lambda_answer * answer + c.lambda_perceptual * perceptual
            values |= {"answer": answer.item(), "perceptual": perceptual.item()}
        if fooled is not None:
            since = step - c.adv_start
            weight = c.lambda_adv * min(1.0, since / c.adv_warmup if c.adv_warmup else 1.0)
            unfooled = generator_loss(fooled)
            loss = loss + weight * unfooled
            values["adv"] = unfooled.item()
        self.optimisers["generator"].zero_grad()
        loss.backward()
        distributed.average_gradients(self.optimisers["generator"])
        norm = nn.utils.clip_grad_norm_(self.generator.parameters(), c.clip)
        values = distributed.average(values | {"grad_norm": norm.item()})
        finite(**values)

        self.discriminator.requires_grad_(True)
        for i, real in enumerate(batch.reals):
            regularise = c.r1_every > 0 and c.r1_weight > 0 and step % c.r1_every == 0 and i == 0
            values |= self._discriminate(real, swap.detach(), regularise)
        self.optimisers["generator"].step()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()), list(self.generator.parameters()), 1 - c.ema
            )
        return values

    def _perceptual(self, swap: Tensor, answer: Tensor) -> Tensor:
        """The distance of the embedder's features; 0 where it has no weight or nothing to compare."""
        if not self.config.lambda_perceptual or not len(answer):
            return swap.new_zeros(())
        with torch.no_grad():
            wanted = self.embedder.maps(answer)
        return perceptual_loss([full(x) for x in self.embedder.maps(swap)], [full(x) for x in wanted])

    def _discriminate(self, real: Tensor, swap: Tensor, regularise: bool) -> dict[str, float]:
        """One step of the discriminator, with R1 where `regularise`; its losses, for the log."""
        c, optimiser = self.config, self.optimisers["discriminator"]
        discriminate = (
            self.discriminator if regularise else self.run_discriminator
        )  # compiled has no second derivative
        if regularise:
            real.requires_grad_(True)
        with autocast("float32" if regularise else c.precision, self.device.type):
            real_logits = discriminate(real)
            loss_d = discriminator_loss(real_logits, discriminate(swap))
        of_d = {"d": loss_d.item(), **self.memory}
        if regularise:
            penalty = r1_penalty(real_logits, real)
            loss_d = loss_d + c.r1_weight / 2 * c.r1_every * penalty
            of_d["r1"] = penalty.item()
        optimiser.zero_grad()
        loss_d.backward()
        distributed.average_gradients(optimiser)
        of_d = distributed.average(of_d)
        grads = [p.grad for p in self.discriminator.parameters() if p.grad is not None]
        finite(**of_d, d_grad_norm=torch.stack(torch._foreach_norm(grads)).norm().item())
        self.memory["r1"] = of_d["r1"]
        optimiser.step()
        return of_d

    def pairs(self, count: int = VALIDATION_PAIRS) -> Pairs:
        """The first `count` fixed pairs; every held-out person is a target in turn."""
        rng, first = Rng().manual_seed(7), self.data.train_people
        held = self.data.people - first
        target = torch.arange(count) % held
        source = (target + torch.randint(1, held, (count,), generator=rng)) % held
        source, target = source + first, target + first
        views = self.data.draw(torch.stack([source, target]), rng)
        return Pairs(source, views[0], target, views[1])

    def _swap(self, target: Tensor, z: Tensor) -> Tensor:
        swap: Tensor = self.average(target, z)
        return swap

    @torch.no_grad()
    def held_out(self) -> HeldOut:
        """The EMA on the validation pairs, pair by pair."""
        pairs = self.pairs()
        faces = self._faces(pairs.target, pairs.target_view)
        z = self.sources[self.data.photo(pairs.source, pairs.source_view)]
        swaps = torch.cat([self._swap(x, w) for x, w in zip(faces.split(16), z.split(16), strict=True)])
        found = self.embedder(swaps)
        change = (swaps - faces).square().flatten(1).mean(1)
        return HeldOut(pairs, swaps, faces, found, z, identity_losses(found, z), change)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The EMA on held-out people: L_id, L_chg, and how often the nearest held-out photo is the source's or target's."""
        held = self.last_held_out = self.held_out()
        source, target, swaps, found = held.pairs.source, held.pairs.target, held.swaps, held.found
        photo = self.data.photo(source, held.pairs.source_view)
        first = self.data.starts[self.data.train_people]  # of the held-out photos, which are the last
        owner = self.data.owner[first:]
        nearest = owner[(found @ self.sources[first:].T).argmax(1).cpu()]
        scores = {
            "val_id": float(held.identity.mean()),
            "val_chg": float(held.change.mean()),
            "retrieval": float((nearest == source).float().mean()),
            "retrieval_target": float((nearest == target).float().mean()),
        }
        if self.answers:
            scores["val_answer"] = self._held_out_answers()
        if self.judge is not None:
            found = self.judge(swaps)
            nearest = owner[(found @ self.judge_rows.T).argmax(1).cpu()]
            scores["judge_retrieval"] = float((nearest == source).float().mean())
            scores["judge_retrieval_target"] = float((nearest == target).float().mean())
            own = self.judge_rows[photo - first]
            scores["judge_cos"] = float((found * own).sum(1).mean())
        return scores

    def _held_out_answers(self) -> float:
        """The answer loss of the EMA on people who are held out; NaN is never given: without any, that of training ones."""
        found = []
        for answers in self.answers:
            rng = Rng().manual_seed(7)
            rows, source, _ = answers.held_out(VALIDATION_ANSWERS, rng)
            if not len(rows):
                rows, source, _ = answers.draw(VALIDATION_ANSWERS, rng)
            for some, photo in zip(rows.split(16), source.split(16), strict=True):
                target, answer = (x.to(self.device) for x in answers.get(some))
                found.append(float(answer_loss(self._swap(target, self.sources[photo]), answer)))
        return sum(found) / len(found)

    def finish(self) -> None:
        """Nothing to do after the last step."""

    @torch.no_grad()
    def picture(self) -> np.ndarray | None:
        """Held-out people, one column a pair: source, target, swap of the EMA."""
        pairs = self.pairs(PICTURE_PAIRS)
        faces = self._faces(pairs.target, pairs.target_view)
        swaps = self._swap(faces, self.sources[self.data.photo(pairs.source, pairs.source_view)])
        return grid([self.data.get(pairs.source, pairs.source_view), faces, swaps])
