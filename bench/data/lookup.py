"""A clip by its name in a folder, however its ending is written."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from bench.errors import few
from smoothswap.media.suffixes import PICTURES, VIDEOS
from smoothswap.plumbing.names import one_form

INSIDE = ("", "videos", "frames", "images")


def find(folder: Path, name: str, pictures: bool = True, numbered: bool = True) -> Path | None:
    """The clip of this name.

    Letters that a disk writes apart (NFD) are those that a list writes in one (NFC).

    A folder of frames is taken before a video, a video before a picture. Endings may be in capitals and the name
    may end in _0, as tools write that number the faces of a picture. Hidden files are none.

    Args:
        folder: Where; also looked through are its folders videos, frames and images.
        name: Without an ending.
        pictures: Whether one picture is a clip.
        numbered: Whether the name may end in _0.

    Returns:
        Its folder, video or picture; None where there is none.
    """
    name = one_form(name)
    for place in INSIDE:
        where = folder / place if place else folder
        names = _listed(where, where.stat().st_mtime_ns) if where.is_dir() else {}
        for stem in (name, f"{name}_0") if numbered else (name,):
            kinds = names.get(stem, {})
            for kind in ("folder", "video", "picture") if pictures else ("folder", "video"):
                if kind in kinds:
                    return where / kinds[kind]
    return None


def holds(folder: Path) -> str:
    """What is in a folder, for a message: how many entries, and the first of them."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if not names:
        return "it is empty"
    return f"it holds {len(names)} files and folders: {few(names)}"


@lru_cache(maxsize=64)
def _listed(folder: Path, modified: int) -> dict[str, dict[str, str]]:
    """Stem -> kind -> name of the entries of a folder; `modified` makes a changed folder another."""
    found: dict[str, dict[str, str]] = {}
    for entry in sorted(folder.iterdir(), key=_place):
        suffix = entry.suffix.lower()
        if entry.name.startswith("."):
            continue
        if suffix in VIDEOS or suffix in PICTURES:
            kind, stem = "video" if suffix in VIDEOS else "picture", entry.stem
        else:
            kind, stem = "folder", entry.name
        if kind != "folder" or entry.is_dir():
            found.setdefault(one_form(stem), {}).setdefault(kind, entry.name)
    return found


def _place(entry: Path) -> tuple[int, str]:
    suffix = entry.suffix.lower()
    order = (*VIDEOS, *PICTURES)
    return order.index(suffix) if suffix in order else len(order), entry.name
