"""A FaceForensics++ tree of rendered talking heads, with the truth of every frame and the true swap of every pair.

Layout (that of FaceForensics++, so that every reader of it reads this):

    original_sequences/youtube/c23/videos/000.mp4 ...        one clip a person
    manipulated_sequences/oracle/c23/videos/000_003.mp4 ...  the true swap target_source, both directions
    splits/{train,val,test}.json                             pairs of three-digit strings
    truth.parquet, rendered.json                             every frame's scene; seed, sizes, hash of every clip
    truth/{youtube,oracle}/000.npz ...                       of world 4: masks of the swapped region, and depth

The true swap has the source's face shape, skin, eyes, lips, brows and beard, and the target's hair, clothes, motion,
gaze, light, camera and background: what the swaps of FaceForensics++ exchange and what they leave.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smoothswap.errors import UsageError
from smoothswap.media.video import write_video
from smoothswap.rendered import cache, streams
from smoothswap.rendered.head import HEAD_FILE, load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import Motion
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import sample_scene
from smoothswap.rendered.truth_row import truth_row
from smoothswap.workers import Pool, cores

VERSION = 3  # of the world; another number whenever a seed comes to mean other pixels
VERSIONS = (3, 4)  # that can be rendered
FPS = 12.5
CRF = 23  # what the name of the folder c23 says
CLIP_YAW = 0.30  # radians, the amplitude of the turning; beyond it a frontal detector loses many frames
MANIPULATION = "oracle"


class RenderError(UsageError):
    """The tree cannot be made; the message says why and how to mend it."""


@dataclass(frozen=True)
class Clip:
    """A clip to render: whose face, and whose hair, motion, light and background (the same person in an original)."""

    face: int
    scene: int
    frames: int
    size: int
    seed: int
    version: int = VERSION

    @property
    def is_swap(self) -> bool:
        """Whether face and scene are of two people."""
        return self.face != self.scene

    @property
    def name(self) -> str:
        """FaceForensics++'s: 003, or 003_007 for a swap."""
        return f"{self.scene:03d}_{self.face:03d}" if self.is_swap else f"{self.face:03d}"

    def folder(self, root: Path) -> Path:
        """Where it lies in a tree."""
        part = ("manipulated_sequences", MANIPULATION) if self.is_swap else ("original_sequences", "youtube")
        return root.joinpath(*part, "c23", "videos")


def render_clip(clip: Clip) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """Frames uint8 [size, size, 3] and one truth row a frame. Depends on nothing but `clip`."""
    if clip.version == 4:
        frames, rows, _ = _world4(clip)
        return frames, rows
    head = load_head()
    identity = sample_identity(np.random.default_rng([clip.seed, streams.CLIPS, clip.face]))
    rng = np.random.default_rng([clip.seed, streams.CLIP_SCENES, clip.scene])
    actor = Actor(identity, sample_styling(rng))
    scene = sample_scene(rng, clip.size)
    motion = Motion(rng, head, yaw=CLIP_YAW)
    frames, rows = [], []
    for i in range(clip.frames):
        state = motion.at(i / FPS)
        shot = actor.shot(state, scene)
        frames.append(shot.image)
        points = shot.projected[landmark_vertices()]
        row = truth_row(i, clip.face, identity, state, scene, points)
        rows.append(_of_clip(clip, row | {"hair": actor.styling.hair}))
    return frames, rows


def _world4(clip: Clip) -> tuple[list[np.ndarray], list[dict[str, Any]], dict[str, np.ndarray]]:
    from smoothswap.rendered.world4.clip import render_clip as render

    frames, rows, pictures = render(clip.face, clip.scene, clip.frames, clip.size, clip.seed, FPS)
    return frames, [_of_clip(clip, row) for row in rows], pictures


def _of_clip(clip: Clip, row: dict[str, Any]) -> dict[str, Any]:
    return {"manipulation": MANIPULATION if clip.is_swap else "youtube", "clip": clip.name, **row}


def _make(job: tuple[Clip, Path]) -> tuple[str, str, list[dict[str, Any]]]:
    clip, root = job
    if clip.version == 4:
        frames, rows, pictures = _world4(clip)
        truth = root / "truth" / str(rows[0]["manipulation"]) / f"{clip.name}.npz"
        truth.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(truth, face=pictures["face"], depth=pictures["depth"])
    else:
        frames, rows = render_clip(clip)
    path = clip.folder(root) / f"{clip.name}.mp4"
    write_video(path, frames, fps=FPS, crf=CRF)
    return str(path.relative_to(root)), hashlib.sha256(path.read_bytes()).hexdigest(), rows


def draw_pairs(identities: int, seed: int) -> list[tuple[int, int]]:
    """Disjoint pairs of people, as FaceForensics++ has them.

    Args:
        identities: How many people, even; everybody is in one pair.
        seed: Of the drawing.

    Returns:
        identities / 2 pairs of numbers 0 to identities - 1.
    """
    order = np.random.default_rng([seed, streams.CLIP_PAIRS]).permutation(identities)
    return [(int(a), int(b)) for a, b in order.reshape(-1, 2)]


def _check_numbers(identities: int, frames: int, size: int, seed: int) -> None:
    if identities % 2 or not 2 <= identities <= 1000:
        raise RenderError(f"identities is {identities}: pairs need an even number from 2 to 1000")
    if size % 2 or not 64 <= size <= 1024:
        raise RenderError(f"size is {size}: H.264 needs an even number; 64 to 1024 are supported")
    if not 1 <= frames <= 10_000:
        raise RenderError(f"frames is {frames}: give 1 to 10000")
    if seed < 0:
        raise RenderError(f"seed is {seed}: give a number that is not negative")


@cache.alone_in
def write_ffpp(
    out: Path,
    identities: int = 40,
    frames: int = 24,
    size: int = 128,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] | None = None,
    version: int = VERSION,
) -> dict[str, Any]:
    """Render the tree into `out`, all or nothing, and return its manifest (what `rendered.json` holds).

    One process at a time does so; a tree that is there already is held against its hashes, and made again where it is
    damaged.

    All pairs are test pairs (training people come from the stream of `smoothswap.rendered.dataset` and are
    others). The same arguments give the same bytes on one machine, whatever `workers`.

    Args:
        out: The folder: new, empty, or holding this very tree, which is then not rendered again.
        identities: People, even, 2 to 1000; as many clips, and as many true swaps.
        frames: Of each clip, 1 to 10000, at 12.5 a second.
        size: Side of a frame, pixels, even, 64 to 1024.
        seed: 0 or above; another one gives other people, motions and pairs.
        workers: Processes that render; None: one a core.
        progress: Given the clips as they are done and their number, it hands them on, as tqdm does; None:
            silence.
        version: Of the world, one of VERSIONS. 4 also writes masks and depth.

    Returns:
        The settings by name, and under "clips" the SHA-256 of every video by its path in the tree.

    Raises:
        RenderError: For numbers out of range, an `out` that already holds something else, and one that cannot
            be written.
    """
    _check_numbers(identities, frames, size, seed)
    if version not in VERSIONS:
        raise RenderError(f"there is no world {version}; known are {', '.join(map(str, VERSIONS))}")
    out = Path(out)
    settings = {
        "version": version,
        "identities": identities,
        "frames": frames,
        "size": size,
        "seed": seed,
        "fps": FPS,
        "crf": CRF,
        "head_sha256": hashlib.sha256(HEAD_FILE.read_bytes()).hexdigest(),
    }
    manifest, damaged = cache.found(out, settings)
    if damaged:
        cache.say_damaged(out, damaged)
    elif manifest is not None:
        return manifest
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RenderError(f"{out} already holds something else; give a new folder, or remove it")
    pairs = draw_pairs(identities, seed)
    clips = [Clip(i, i, frames, size, seed, version) for i in range(identities)]
    clips += [Clip(s, t, frames, size, seed, version) for a, b in pairs for t, s in ((a, b), (b, a))]
    work = out.parent / f".{out.name}.{os.getpid()}.part"
    shutil.rmtree(work, ignore_errors=True)
    try:
        for clip in (clips[0], clips[-1]):
            clip.folder(work).mkdir(parents=True)
        (work / "splits").mkdir()
        hashes: dict[str, str] = {}
        rows: list[dict[str, Any]] = []
        with Pool(min(workers or cores(), len(clips))) as pool:
            done: Iterable[Any] = pool.map(_make, [(clip, work) for clip in clips])
            for path, digest, truth in progress(done, len(clips)) if progress else done:
                hashes[path] = digest
                rows.extend(truth)
        for split in ("train", "val", "test"):
            named = [[f"{a:03d}", f"{b:03d}"] for a, b in pairs] if split == "test" else []
            (work / "splits" / f"{split}.json").write_text(json.dumps(named, indent=1) + "\n")
        pd.DataFrame(rows).to_parquet(work / "truth.parquet", index=False)
        others = ["truth.parquet", *(f"splits/{split}.json" for split in ("train", "val", "test"))]
        manifest = {**settings, "clips": hashes, "files": cache.hashes_of(work, others)}
        (work / "rendered.json").write_text(json.dumps(manifest, indent=1) + "\n")
        cache.put(work, out)
    except OSError as error:
        raise RenderError(
            f"cannot write {out} ({error}); is the folder writable and the disk not full?"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest
