"""Rendered photos in which faces are found, laid out as folders of people; and the command as the tests call it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smoothswap.prepare import main
from tests.support.prepared_folders import PEOPLE


@pytest.fixture(scope="session")
def frames() -> list[list[np.ndarray]]:
    """Four frames, uint8 [128, 128, 3], of each of three rendered people."""
    from smoothswap.rendered.ffpp import Clip, render_clip

    return [render_clip(Clip(i, i, 4, 128, 5))[0] for i in range(3)]


@pytest.fixture(scope="session")
def photos(frames: list[list[np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SOURCE/Name/photo.png: 4, 2 and 3 photos, and a picture without a face."""
    root = tmp_path_factory.mktemp("photos")
    for name, count, pictures in zip(PEOPLE, (4, 2, 3), frames, strict=True):
        (root / name).mkdir()
        for i in range(count):
            Image.fromarray(pictures[i]).save(root / name / f"{i}.png")
    Image.new("RGB", (90, 90), (200, 30, 60)).save(root / PEOPLE[1] / "wall.png")
    return root


@pytest.fixture(scope="session")
def ffhq(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FFHQ's layout, 23 pictures of 40 x 40 whose colour is their place, in two folders of 1000."""
    root = tmp_path_factory.mktemp("ffhq") / "images1024x1024"
    for i, number in enumerate([*range(15), *range(62_998, 63_002), *range(69_996, 70_000)]):
        folder = root / f"{number // 1000 * 1000:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (10 * i, 255 - 10 * i, 7)).save(folder / f"{number:05d}.png")
    return root


@pytest.fixture
def prepare(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """prepare(source, kind, out, *options) -> (exit code, what was said on standard output or, failing, as the error)."""

    def run(source: Path, kind: str, out: Path, *options: str) -> tuple[int, str]:
        arguments = [
            str(source),
            "--kind",
            kind,
            "--out",
            str(out),
            "--workers",
            "1",
            "--size",
            "32",
            *options,
        ]
        try:
            code = main(arguments)
        except SystemExit as stopped:
            code = int(str(stopped.code))
        said = capsys.readouterr()
        return code, said.out if code == 0 else said.err.replace("\r", "\n").splitlines()[-1]

    return run
