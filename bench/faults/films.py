"""Small films of rendered people, a FaceForensics++ tree of them, and finished swaps: what faults of media spoil."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import numpy as np

from bench.faults.lasting import lasting_folder
from smoothswap.media.video import write_video
from smoothswap.pixels import Image

CLIPS = ("000", "001", "002", "003")
FRAMES = 4
VIDEOS = Path("original_sequences/youtube/c23/videos")
FINISHED = "mine"


@functools.cache
def portrait(person: int) -> Image:
    """A rendered face, uint8 [256, 256, 3].

    Args:
        person: Whose.
    """
    from bench.detection import material

    return next(material.cases(person, 17)).image


def film(path: Path, person: int, frames: int = FRAMES) -> Path:
    """Write a film of one person, who moves by two pixels a frame.

    Args:
        path: The video.
        person: Who.
        frames: How many.

    Returns:
        The path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, [np.roll(portrait(person), 2 * i, axis=1) for i in range(frames)])
    return path


def lay_out_tree(place: Path) -> Path:
    """Make a tree of four clips, two pairs in both directions, and finished swaps of them that show the targets.

    Args:
        place: An existing folder.

    Returns:
        `place`/tree.
    """
    return Path(shutil.copytree(_made(), place / "tree"))


@functools.cache
def _made() -> Path:
    tree = lasting_folder() / "tree"
    for person, clip in enumerate(CLIPS):
        film(tree / VIDEOS / f"{clip}.mp4", person)
    (tree / "splits").mkdir()
    for split in ("train", "val", "test"):
        (tree / "splits" / f"{split}.json").write_text(json.dumps([CLIPS[:2], CLIPS[2:]]))
    finished = tree / "manipulated_sequences" / FINISHED / "c23" / "videos"
    finished.mkdir(parents=True)
    for one, other in (CLIPS[:2], CLIPS[2:]):
        for target, source in ((one, other), (other, one)):
            shutil.copy(tree / VIDEOS / f"{target}.mp4", finished / f"{target}_{source}.mp4")
    return tree
