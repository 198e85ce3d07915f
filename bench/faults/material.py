"""What argument lists name: a folder `in` with good, empty, damaged and hostile things of every sort, small."""

from __future__ import annotations

import functools
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from bench.faults.lasting import lasting_folder
from smoothswap.media.video import write_video

ROOT = Path(__file__).resolve().parents[2]


def lay_out(place: Path) -> None:
    """Make the folder `in` at a place.

    Args:
        place: An empty folder.
    """
    shutil.copytree(_made(), place / "in", symlinks=True)
    os.mkfifo(place / "in" / "pipe")


@functools.cache
def _made() -> Path:
    import torch
    from PIL import Image

    folder = lasting_folder() / "in"
    (folder / "folder").mkdir(parents=True)
    (folder / "empty").write_bytes(b"")
    (folder / "noise.bin").write_bytes(np.random.default_rng(0).bytes(2000))
    (folder / "text.txt").write_text("a text\nof two lines\n")
    (folder / "line\nbreak").write_text("x")
    with suppress(OSError):  # a system whose names are letters
        (folder / "\udcff\udcfe").write_text("x")
    (folder / "nowhere").symlink_to("gone")
    (folder / "loop").symlink_to("loop")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "wrong.json").write_text('{"schema_version": "x", "metrics": [], "run": null, "343": 43}')
    (folder / "wrong.toml").write_text(
        'base = 3\n[swapper]\nsteps = "many"\n[embedder.network]\nwidth = -1\n'
    )
    (folder / "pairs.csv").write_text("source,target\nA/0.png,B/0.png\n")
    (folder / "pairs.json").write_text(json.dumps([{"source": "A/0.png", "target": "B/0.png", "age": 30}]))
    (folder / "pairs.txt").write_text("1\t1\nA\t1\t2\nA\t1\tB\t1\n")
    (folder / "people.txt").write_text("2\nA\t2\nB\t2\n")
    (folder / "map.json").write_text('{"001": "000"}')
    frames = [np.full((64, 64, 3), 30 * i, np.uint8) for i in range(4)]
    for name in "AB":
        (folder / "people" / name).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(frames[i]).save(folder / "people" / name / f"{i}.png")
    Image.fromarray(frames[1]).save(folder / "picture.png")
    write_video(folder / "film.mp4", frames)
    videos = folder / "tree" / "original_sequences" / "youtube" / "c23" / "videos"
    videos.mkdir(parents=True)
    (folder / "tree" / "splits").mkdir()
    for clip in ("000", "001"):
        shutil.copy(folder / "film.mp4", videos / f"{clip}.mp4")
    for split in ("train", "val", "test"):
        (folder / "tree" / "splits" / f"{split}.json").write_text(json.dumps([["000", "001"]]))
    (folder / "faces").mkdir()
    np.save(folder / "faces" / "faces.npy", np.zeros((6, 64, 64, 3), np.uint8))
    np.save(folder / "faces" / "people.npy", np.arange(6) // 2)
    (folder / "faces" / "names.json").write_text(json.dumps(["A", "B", "C"]))
    torch.save({"w": torch.zeros(3)}, folder / "net.pth")
    weights = ROOT / "smoothswap" / "weights" / "smoothswap-rendered-64.safetensors"
    (folder / "w.safetensors").symlink_to(weights)
    shutil.copy(weights.with_suffix(".json"), folder / "w.json")
    (folder / "net.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    with suppress(OSError):  # only a checkout has results
        shutil.copytree(ROOT / "results" / "self-rendered", folder / "run", copy_function=shutil.copy)
    shutil.copy(ROOT / "bench" / "baselines" / "smoothswap-rendered.json", folder / "baseline.json")
    return folder
