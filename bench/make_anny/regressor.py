"""Train the regressor of the `anny` instrument on rendered faces with known codes.

Renders 10,000 people, trains, and writes the weights and a card.
An hour or more on two cores. The rendered faces in --work are kept and used again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from bench.make_anny.faces import VIEWS, write_faces
from bench.make_anny.variations import DECA_SCALE, mirrored, moved, soften
from metrics.instruments.anny_network import SIZE, Layout, Regressor, load_regressor
from metrics.instruments.base import file_sha256
from smoothswap.augment import AugmentOptions, augment
from smoothswap.cli import Parser, at_least, check_file, command, real
from smoothswap.networks.precision import autocast
from smoothswap.rendered.codes import EXPRESSION_COMPONENTS, SHAPE_COMPONENTS, expression_map, mirror
from smoothswap.tensors import to_tensor
from smoothswap.workers import cores

EXAMPLES = """
examples:
  python -m bench.make_anny.regressor --work runs/anny --epochs 30 --lr 2e-3 --out runs/anny/first.safetensors
  python -m bench.make_anny.regressor --work runs/anny --seed 7 --start runs/anny/first.safetensors
"""
AUGMENT = AugmentOptions(
    flip=0, rotate=0, scale=0, shift=0, blur=0, tint=0.2, erase=0.15, noise=0.06, saturation=0.7
)
WEIGHTS = {"shape": 2.0, "expression": 2.0, "pose": 0.5}
POINTS_WEIGHT = 1.0  # of the second lesson: where the face's points lie, in standard deviations


@torch.no_grad()
def errors(network: Regressor, pictures: np.ndarray, codes: Tensor) -> dict[str, float]:
    """Scores on held-out people, VIEWS rows each.

    Args:
        network: The regressor; it is left in eval mode.
        pictures: uint8 [n, s, s, 3], as `write_faces` stores them.
        codes: float [n, 63], the truth.

    Returns:
        Median pose error in degrees; of each part of the code the rank correlation of different people's
        distances with the truth's and the share of the variance explained, both at most 1.
    """
    from scipy.spatial.transform import Rotation
    from scipy.stats import spearmanr

    network.eval()
    found = []
    for i in range(0, len(pictures), 256):
        crops, _, _ = moved(to_tensor(pictures[i : i + 256]), codes[i : i + 256, -3:], None)
        found.append(network.read(crops))
    read = torch.cat(found)
    angle = (
        Rotation.from_rotvec(read[:, -3:].numpy()).inv() * Rotation.from_rotvec(codes[:, -3:].numpy())
    ).magnitude()
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, len(codes), (2, 4000))
    scores = {"pose_median_error_deg": float(np.degrees(np.median(angle)))}
    k = SHAPE_COMPONENTS
    for name, part in (("shape", slice(0, k)), ("expression", slice(k, -3)), ("pose", slice(-3, None))):
        distance = [
            (c[a, part] - c[b, part]).norm(dim=1)[torch.from_numpy(a // VIEWS != b // VIEWS)]
            for c in (read, codes)
        ]
        scores[f"{name}_rank_correlation"] = float(spearmanr(*distance).statistic)
        explained = 1 - ((read - codes)[:, part] ** 2).sum() / ((codes - codes.mean(0))[:, part] ** 2).sum()
        scores[f"{name}_explained"] = float(explained)
    return scores


@dataclass(frozen=True)
class Lesson:
    """What is learnt from, in memory or mapped; the last `held_out` rows are not trained on.

    pictures: uint8 [n, s, s, 3]; codes: [n, k] (mm, mm, radians); points: [n, POINTS, 2].
    """

    pictures: np.ndarray
    codes: Tensor
    points: Tensor
    held_out: int

    @property
    def count(self) -> int:
        """How many rows are trained on."""
        return len(self.codes) - self.held_out


def lesson(work: Path, held_out: int) -> Lesson:
    """What is learnt from the faces of a folder.

    Args:
        work: Filled by `write_faces`.
        held_out: How many people, VIEWS rows each, are kept apart at the end.

    Returns:
        The pictures mapped from the disk; codes float32 [n, 63], expression in mm.
    """
    stored, k = np.load(work / "codes.npy"), SHAPE_COMPONENTS
    codes = np.concatenate([stored[:, :k], stored[:, k:-3] @ expression_map().T, stored[:, -3:]], 1)
    return Lesson(
        np.load(work / "pictures.npy", mmap_mode="r"),
        torch.from_numpy(codes),
        torch.from_numpy(np.load(work / "points.npy")),
        held_out * VIEWS,
    )


class Batches(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Batch i, drawn from seed and i alone: crops moved, mirrored, lit and softened, codes and points."""

    def __init__(self, faces: Lesson, size: int, epochs: int, seed: int) -> None:
        rng = torch.Generator().manual_seed(seed)
        orders = [torch.randperm(faces.count, generator=rng) for _ in range(epochs)]
        self.rows = [rows for order in orders for rows in order.split(size) if len(rows) == size]
        self.faces, self.seed = faces, seed

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, Tensor]:
        rows, rng = self.rows[i].sort().values, torch.Generator().manual_seed((self.seed << 32) + i)
        codes, pictures = self.faces.codes[rows], to_tensor(self.faces.pictures[rows.numpy()])
        crops, pose, points = moved(pictures, codes[:, -3:], rng, self.faces.points[rows])
        assert points is not None
        crops, codes, points = mirrored(crops, torch.cat([codes[:, :-3], pose], 1), points, rng)
        crops = soften(augment(crops, AUGMENT, rng), rng).contiguous(memory_format=torch.channels_last)
        return crops.bfloat16(), codes, points


def train(faces: Lesson, out: Path, about: dict[str, object], options: argparse.Namespace) -> None:
    """Fit the network to the faces; weights and card are written after every epoch.

    Args:
        faces: What is learnt from; the held-out people give the scores.
        out: The weights' file.
        about: For the card.
        options: What `main` parsed. `start`: weights to begin with, their body alone where `hidden` differs.
    """
    o, count = options, faces.count
    layout = Layout(SHAPE_COMPONENTS, EXPRESSION_COMPONENTS, 3)
    torch.manual_seed(o.seed)
    network = Regressor(layout, o.width, o.hidden).to(memory_format=torch.channels_last)
    places = torch.nn.Linear(o.hidden, faces.points[0].numel())  # of the points; no part of the weights
    middle, spread = faces.points[:count].mean(0), faces.points[:count].var(0).mean().sqrt()
    groups = {"shape": slice(0, layout.shape), "expression": slice(layout.shape, -3), "pose": slice(-3, None)}
    for part in groups.values():  # one scale a group: a direction counts by how much it varies
        network.mean[part] = faces.codes[:count, part].mean(0)
        network.scale[part] = faces.codes[:count, part].var(0).mean().sqrt()
    network.mirror.copy_(torch.from_numpy(mirror()))
    if o.start is not None:
        known = load_regressor(o.start)[0].state_dict()
        same = known["code.weight"].shape == network.code.weight.shape
        wanted_keys = known if same else [k for k in known if k.startswith(("stem.", "body."))]
        network.load_state_dict({k: known[k] for k in wanted_keys}, strict=same)
    network.requires_grad_(True)
    parameters = [*network.parameters(), *places.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=o.lr, weight_decay=1e-3)
    batches, started = Batches(faces, o.batch, o.epochs, o.seed), time.monotonic()
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, o.lr, total_steps=len(batches), pct_start=0.1)
    loader = DataLoader(batches, batch_size=None, num_workers=o.workers - 1)
    per_epoch = len(batches) // o.epochs
    bar = tqdm(loader, desc="training", mininterval=5, file=sys.stderr)
    for step, (crops, wanted, points) in enumerate(bar, 1):
        network.train()
        with autocast("bfloat16"):
            features = network.features(crops)
            read, seen_at = network.code(features).float(), places(features).float()
        error = (read - (wanted - network.mean) / network.scale) ** 2
        loss = sum((WEIGHTS[name] * error[:, part].mean() for name, part in groups.items()), torch.zeros(()))
        loss = loss + POINTS_WEIGHT * (seen_at - ((points - middle) / spread).flatten(1)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % per_epoch == 0:
            scores = errors(network, faces.pictures[count:], faces.codes[count:])
            said = json.dumps({k: round(v, 3) for k, v in scores.items()})
            tqdm.write(f"epoch {step // per_epoch}: {said}", file=sys.stderr)
            minutes = round((time.monotonic() - started) / 60, 1)
            save(
                network,
                out,
                {**about, "epochs_done": step // per_epoch, "minutes": minutes, "held_out": scores},
            )


def save(network: Regressor, path: Path, about: dict[str, object]) -> None:
    """Write the weights atomically, matrices and kernels but the mirror in half precision, then their card.

    Args:
        network: Whose weights.
        path: Of the weights; the card is the .json beside them.
        about: What the card says besides size and hash; a part of the weights' file too.
    """
    tensors = {
        key: value.half() if value.is_floating_point() and value.dim() > 1 and key != "mirror" else value
        for key, value in network.state_dict().items()
    }
    part = path.with_suffix(".part")
    save_file(
        {k: v.contiguous() for k, v in tensors.items()}, part, {"about": json.dumps(about, sort_keys=True)}
    )
    os.replace(part, path)
    card = {"sha256": file_sha256(path), "bytes": path.stat().st_size, **about}
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m bench.make_anny.regressor", description=__doc__, epilog=EXAMPLES)
    from metrics.instruments.anny import REGRESSOR

    parser.add_argument("--work", type=Path, default=Path("runs/anny"), help="folder of the rendered faces")
    parser.add_argument("--out", type=Path, default=REGRESSOR)
    parser.add_argument("--people", type=at_least(1), default=10000)
    parser.add_argument("--epochs", type=at_least(1), default=8)
    parser.add_argument("--batch", type=at_least(1), default=64)
    parser.add_argument("--lr", type=real(0), default=2e-3)
    parser.add_argument("--width", type=at_least(1), default=24)
    parser.add_argument(
        "--hidden", type=at_least(1), default=384, help="numbers that the codes are read from"
    )
    parser.add_argument("--seed", type=at_least(0), default=6)
    parser.add_argument(
        "--start", type=Path, help="weights to go on from, for another cycle of the learning rate"
    )
    parser.add_argument(
        "--workers",
        type=at_least(1),
        default=cores(),
        help="processes that render, and all but one cut crops",
    )
    parser.add_argument("--threads", type=at_least(1), default=cores())
    a = parser.parse_args(argv)
    torch.set_num_threads(a.threads)
    check_file(a.out)
    if not (a.work / "pictures.npy").is_file():
        write_faces(a.work, a.people, a.seed, a.workers)
    about: dict[str, object] = {
        "layout": vars(Layout(SHAPE_COMPONENTS, EXPRESSION_COMPONENTS)),
        "width": a.width,
        "hidden": a.hidden,
        "crop": f"deca, {SIZE} px, scale {DECA_SCALE}",
        "epochs": a.epochs,
        "batch": a.batch,
        "lr": a.lr,
        "seed": a.seed,
        "data": json.loads((a.work / "meta.json").read_text(encoding="utf-8-sig")),
        "loss": {**WEIGHTS, "points": POINTS_WEIGHT},
        "start": None if a.start is None else file_sha256(a.start),
        "command": f"python -m bench.make_anny.regressor --people {a.people} --epochs {a.epochs} --lr {a.lr:g} "
        f"--seed {a.seed}{'' if a.start is None else ' --start WEIGHTS'}",
    }
    train(lesson(a.work, max(20, a.people // 20)), a.out, about, a)
    held_out = json.loads(a.out.with_suffix(".json").read_text(encoding="utf-8-sig"))["held_out"]
    print(f"{a.out}: {a.out.stat().st_size} bytes; held out: {json.dumps(held_out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
