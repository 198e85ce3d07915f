"""What a step of the swapper's training sees: pairs of people, and pairs whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator as Rng
from torch import Tensor

from smoothswap.config import SwapperConfig
from smoothswap.data.answers import Answers
from smoothswap.data.faces import FaceData


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees of the data, on the device. n: the rows of this rank.

    target: float32 [n, 3, s, s] in [-1, 1]; z: the sources' embeddings [n, d]; goals: of L_id by teacher, [n, d] each;
    reals: faces for each step of D; answer: the answers of the rows where `known` (bool [n]) is true, in their order.
    """

    target: Tensor
    z: Tensor
    goals: list[Tensor]
    reals: list[Tensor]
    answer: Tensor
    known: Tensor


@dataclass(frozen=True, eq=False)
class Batches:
    """Draws of batches; the state is that of `rng` alone.

    sources: embeddings of all photos, [photos, d]; goals: of L_id by teacher, a row for each photo or, with id_target
    "person", for each person; answers: swaps of the same people whose answer is known.
    """

    config: SwapperConfig
    data: FaceData
    sources: Tensor
    goals: Sequence[Tensor]
    answers: Sequence[Answers]
    rng: Rng
    device: torch.device

    def draw(self, rows: Tensor, adversarial: bool) -> Batch:
        """One batch, or this rank's share of it: all ranks draw the same and take their own rows.

        Args:
            rows: int64, places in the batch, 0 to batch - 1.
            adversarial: Whether D learns in this step; without, no faces are drawn for it.

        Returns:
            The rows; those below config.answers have a known answer.
        """
        c, data = self.config, self.data
        people = data.train_people
        target = torch.randint(people, (c.batch,), generator=self.rng)
        target_view = data.draw(target, self.rng)
        source = (
            target + torch.randint(1, people, (c.batch,), generator=self.rng)
        ) % people  # another person, uniform
        source_view = data.draw(source, self.rng)
        if c.self_pairs:
            source[-c.self_pairs :], source_view[-c.self_pairs :] = (
                target[-c.self_pairs :],
                target_view[-c.self_pairs :],
            )
        reals = []
        for _ in range(c.d_steps if adversarial else 0):
            real = torch.randint(people, (c.batch,), generator=self.rng)
            reals.append(data.get(real[rows], data.draw(real, self.rng)[rows]).to(self.device))
        photo, shown = data.photo(source, source_view), data.photo(target, target_view)
        faces = data.load(shown[rows])
        answer = faces[:0]
        if c.answers:
            faces, photo, answer = self._answered(faces, photo, rows)
        photo = photo[rows]
        wanted = photo if c.id_target == "view" else data.owner[photo]
        goals = [goal[wanted] for goal in self.goals]
        known = (rows < c.answers).to(self.device)
        return Batch(faces.to(self.device), self.sources[photo], goals, reals, answer.to(self.device), known)

    def _answered(self, faces: Tensor, photo: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The batch with known answers in its first places: targets (of `rows`), sources' photos (of all), answers."""
        known = self.config.answers
        drawn = [answers.draw(known, self.rng) for answers in self.answers]
        photo = photo.clone()
        for place in range(known):
            photo[place] = drawn[place % len(drawn)][1][place]
        mine = [place for place in rows.tolist() if place < known]
        if not mine:
            return faces, photo, faces[:0]
        turn = [(place, place % len(drawn)) for place in mine]  # of several folders in turn
        targets, answers = zip(
            *(self.answers[which].get(drawn[which][0][place : place + 1]) for place, which in turn),
            strict=True,
        )
        faces[rows < known] = torch.cat(targets)
        return faces, photo, torch.cat(answers)
