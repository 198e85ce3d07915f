"""Tiny FaceForensics++ trees: real video files of one photographed face, tinted and framed by clip."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from smoothswap.media.video import write_video

SIZE = 280
TINTS = {"000": (1.0, 0.5, 0.5), "001": (0.5, 1.0, 0.5), "002": (0.5, 0.5, 1.0), "003": (1.0, 1.0, 0.4)}
MARKS = {"000": (255, 0, 0), "001": (0, 255, 0), "002": (0, 0, 255), "003": (255, 255, 0)}


@functools.cache
def portrait() -> np.ndarray:
    """Eileen Collins, public domain, as uint8 RGB; read once."""
    return skimage.data.astronaut()


def face_frame(clip: str, shift: int = 0) -> np.ndarray:
    """The portrait in the clip's tint, with its colour as an 8 px frame."""
    face = portrait()[:280, 80 + shift : 360 + shift]
    image = np.clip(face * np.array(TINTS[clip]), 0, 255).astype(np.uint8)
    for edge in (np.s_[:8], np.s_[-8:], np.s_[:, :8], np.s_[:, -8:]):
        image[edge] = MARKS[clip]
    return np.ascontiguousarray(image)


def clip_frames(clip: str, n: int = 5) -> list[np.ndarray]:
    return [face_frame(clip, shift=2 * i) for i in range(n)]


def swapped_frames(target: str, source: str, n: int = 5) -> list[np.ndarray]:
    """A "true swap": the target's frame with the source's tint inside."""
    frames = []
    for inner, outer in zip(clip_frames(source, n), clip_frames(target, n), strict=True):
        frame = outer.copy()
        frame[8:-8, 8:-8] = inner[8:-8, 8:-8]
        frames.append(frame)
    return frames


def video(path: Path, frames: list[np.ndarray]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames, lossless=True)
    return path


def original(root: Path, clip: str) -> Path:
    return root / "original_sequences" / "youtube" / "c23" / "videos" / f"{clip}.mp4"


def manipulated(root: Path, name: str, clip: str) -> Path:
    return root / "manipulated_sequences" / name / "c23" / "videos" / f"{clip}.mp4"


def faceless(n: int = 5) -> list[np.ndarray]:
    return [np.full((SIZE, SIZE, 3), 90 + i, np.uint8) for i in range(n)]


def two_faces() -> np.ndarray:
    face = face_frame("000")
    return np.hstack([face, cv2.flip(face, 1)])


def make_tree(root: Path) -> Path:
    """Two pairs: 000 with 001, 002 with 003; five frames a clip; no manipulations."""
    for clip in TINTS:
        video(original(root, clip), clip_frames(clip))
    (root / "splits").mkdir()
    for split in ("train", "val"):
        (root / "splits" / f"{split}.json").write_text("[]")
    (root / "splits" / "test.json").write_text(json.dumps([["000", "001"], ["002", "003"]]))
    return root


def write_swaps(root: Path, name: str, n: int = 5) -> None:
    """The target_source clips of all four swaps under manipulated_sequences."""
    for target, source in (("000", "001"), ("001", "000"), ("002", "003"), ("003", "002")):
        video(manipulated(root, name, f"{target}_{source}"), swapped_frames(target, source, n))
