"""How smoothly each network follows a known change: rendered faces that turn into somebody else, age, or gain weight.

A path has K equal steps of its parameter; hair, clothes, light, camera, background and the neutral frontal
state stay. Path i of every kind is of the same person in the same scene, whom a morph begins with and whom
age and weight pass halfway. Every network sees the same frames, each cut to its own crop with the true
landmarks. Figures: metrics.embedders.paths, on the sphere. `pixels`, the reference, is the 64-pixel picture
itself as a vector in the plane: how even the change is before any network sees it.

Gradients are those of L_id = 1 - cos(f(x), f(x_K)) (Smooth-Swap, Sec. 4.4), x_K the end of the path, at x_0 ...
x_(K-1): once with respect to the picture, once with respect to the path's parameter (central differences of L_id).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from bench.embedders.networks import Image, Network
from bench.reading.crops import cut
from metrics.distances import Floats, unit
from metrics.embedders.paths import Geometry, neighbour_agreement, path_figures
from metrics.instruments import Crop
from metrics.statistics.replicates import Replicated, deal, replicate, replicate_mean
from smoothswap.pixels import Images
from smoothswap.rendered import streams
from smoothswap.rendered.changes import changed, mixed
from smoothswap.rendered.head import load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import Identity, sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import sample_scene

KINDS = ("morph", "age", "weight")
STEPS = 12
FRAME = 256  # pixels of a rendered frame
PIXELS = Crop("ffhq", 64)  # of the reference


@dataclass(frozen=True, eq=False)
class Rendered:
    """By kind and crop: pictures uint8 [paths, K + 1, s, s, 3]."""

    pictures: dict[tuple[str, Crop], Images]
    count: int


def render(crops: Iterable[Crop], paths: int, seed: int, steps: int = STEPS) -> Rendered:
    """Render paths of each kind once, every frame cut to each of the crops; equal arguments give equal bytes.

    Args:
        crops: Those of the networks, repeated or not; PIXELS is added.
        paths: How many of each kind.
        seed: Draws, with a path's number, its two people, scene, hair and clothes.
        steps: K, equal steps of each path.

    Returns:
        Pictures by kind and crop.
    """
    wanted = list(dict.fromkeys([PIXELS, *crops]))
    made = {
        (kind, crop): np.empty((paths, steps + 1, crop.size, crop.size, 3), np.uint8)
        for kind in KINDS
        for crop in wanted
    }
    expressions = len(load_head().expression_names)
    still = State(np.zeros(3, np.float32), np.zeros(expressions, np.float32), np.zeros(2, np.float32))
    with tqdm(
        total=paths * len(KINDS) * (steps + 1), desc="rendering paths", unit="frame", file=sys.stderr
    ) as bar:
        for path in range(paths):
            rng = np.random.default_rng([seed, streams.PATHS, path])
            person, other = sample_identity(rng), sample_identity(rng)
            styling, scene = sample_styling(rng), sample_scene(rng, FRAME)
            for kind in KINDS:
                for step in range(steps + 1):
                    shot = Actor(at(kind, person, other, step / steps), styling).shot(
                        still, scene, samples=1
                    )  # the crop reduces it
                    landmarks = shot.projected[landmark_vertices()]
                    for crop in wanted:
                        made[kind, crop][path, step] = cut(shot.image, landmarks, crop)
                    bar.update()
    return Rendered(made, paths)


def at(kind: str, person: Identity, other: Identity, share: float) -> Identity:
    """Who is seen at a share of a path.

    Args:
        kind: One of KINDS.
        person: Whose path it is: seen at 0 of a morph, and at 0.5 of age and weight.
        other: Whom a morph has turned into at 1; the other kinds do without.
        share: 0 to 1 of the whole change. Age and weight go through the phenotype's whole range.

    Returns:
        The person with that shape of face; a morph alone changes skin, brows and beard too.

    Raises:
        KeyError: For another kind.
    """
    return mixed(person, other, share) if kind == "morph" else changed(person, kind, share)


@dataclass(frozen=True, eq=False)
class PathResult:
    """What one network shows along the paths.

    figures: key "<name>@<kind>" -> figure. curves: kind -> mean distance from the start at each step, as a share of
    the mean distance between the two people of the morphs.
    """

    figures: dict[str, Replicated]
    curves: dict[str, list[float]]


def measure(network: Network, rendered: Rendered) -> PathResult:
    """The figures of one network over all kinds of paths.

    Args:
        network: Its crop must be among those that were rendered.
        rendered: The paths.

    Returns:
        Figures path_* and descent_agreement of every kind, gradient_agreement for networks with gradients.
        The extent of morphs is in radians, that of age and weight a share of it.
    """
    embedded = {kind: _embed(network, rendered.pictures[kind, network.crop]) for kind in KINDS}
    result = _figures(embedded, "sphere")
    group = deal(rendered.count)
    for kind in KINDS:
        descent = neighbour_agreement(loss_slopes(embedded[kind])[..., None])
        result.figures[f"descent_agreement@{kind}"] = replicate_mean(descent, group)
        if network.differentiable is not None:
            gradients = picture_agreement(network, rendered.pictures[kind, network.crop])
            result.figures[f"gradient_agreement@{kind}"] = replicate_mean(gradients, group)
    return result


def measure_pixels(rendered: Rendered) -> PathResult:
    """The same of the pictures themselves, in the plane; without gradients, which would be the picture's own."""
    flat = {
        kind: rendered.pictures[kind, PIXELS].reshape(rendered.count, -1, PIXELS.size**2 * 3)
        for kind in KINDS
    }
    return _figures({kind: rows.astype(np.float64) for kind, rows in flat.items()}, "plane")


def _figures(embedded: dict[str, Floats], geometry: Geometry) -> PathResult:
    figures: dict[str, Replicated] = {}
    found = {kind: path_figures(paths, geometry) for kind, paths in embedded.items()}
    between = found["morph"].extent
    group = deal(len(between))
    curves = {}
    for kind, one in found.items():
        for name in ("tortuosity", "curvature", "monotonicity", "largest_step"):
            figures[f"path_{name}@{kind}"] = replicate_mean(getattr(one, name), group)
        extent = one.extent

        def share(mask: npt.NDArray[np.bool_], extent: Floats = extent) -> float:
            return float(np.nanmean(extent[mask]) / np.nanmean(between[mask]))

        figures[f"path_extent@{kind}"] = (
            replicate_mean(extent, group) if kind == "morph" else replicate(share, group)
        )
        curves[kind] = [float(v) for v in np.nanmean(one.distance, axis=0) / np.nanmean(between)]
    return PathResult(figures, curves)


def loss_slopes(paths: Floats) -> Floats:
    """dL_id / dk at the points 0 ... K - 1 of each path of embeddings [n, K + 1, d]: float [n, K]; [k] is in steps.

    Central differences, one-sided at the start; the end, where L_id is least, is left out.
    """
    rows = unit(paths.reshape(-1, paths.shape[-1])).reshape(paths.shape)
    loss = 1 - np.einsum("nkd,nd->nk", rows, rows[:, -1])
    return np.asarray(np.gradient(loss, axis=1)[:, :-1])


def picture_agreement(network: Network, pictures: Images) -> Floats:
    """neighbour_agreement of L_id's gradients with respect to the pictures of each path.

    Args:
        network: One with gradients.
        pictures: uint8 [n, K + 1, s, s, 3] RGB, its crops along n paths.

    Returns:
        float64 [n] in -1..1; NaN for a path with a gradient of 0.

    Raises:
        ValueError: For a network without gradients.
    """
    if network.differentiable is None:
        raise ValueError(f"{network.name} has no gradients")
    agreement = []
    for path in pictures:
        pixels = torch.from_numpy(np.ascontiguousarray(path)).permute(0, 3, 1, 2).float()
        with torch.no_grad():
            goal = network.differentiable(pixels[-1:])
        seen = pixels[:-1].requires_grad_()
        # Points do not share a batch statistic (eval mode), so the sum's gradient is each one's own.
        loss = (1 - torch.cosine_similarity(network.differentiable(seen), goal, dim=1)).sum()
        (slope,) = torch.autograd.grad(loss, seen)
        agreement.append(neighbour_agreement(slope.flatten(1).double().numpy()[None])[0])
    return np.array(agreement)


def _embed(network: Network, pictures: Image) -> Floats:
    n, points = pictures.shape[:2]
    rows = network.read(pictures.reshape(-1, *pictures.shape[2:]))
    return rows.reshape(n, points, -1).astype(np.float64)
