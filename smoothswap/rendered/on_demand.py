"""Training faces rendered when they are asked for: `--data rendered:people=2000,views=12,seed=1000,makeover=0.8`.

They are made once, at the size of the network, and kept in SMOOTHSWAP_CACHE or ~/.cache/smoothswap.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from smoothswap.data.store import sha256_of
from smoothswap.errors import DataError
from smoothswap.plumbing.texts import read_json
from smoothswap.rendered.cache import one_at_a_time, say_damaged
from smoothswap.workers import cores

PREFIX = "rendered:"
DEFAULTS: dict[str, float] = {
    "people": 2000,
    "views": 12,
    "seed": 1000,
    "makeover": 0.0,
    "lookalikes": 0,
    "shapes": 0,
}


def parse(spec: str) -> dict[str, float]:
    """The numbers of "rendered:key=value,...", the defaults where it is silent. Raises DataError with a suggestion."""
    numbers = dict(DEFAULTS)
    for item in [part for part in spec.removeprefix(PREFIX).split(",") if part]:
        key, text = item.partition("=")[0].strip(), item.partition("=")[2].strip()
        if key not in numbers:
            near = difflib.get_close_matches(key, DEFAULTS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(DEFAULTS)}"
            raise DataError(f"{spec}: unknown number {key!r}; {hint}")
        try:
            numbers[key] = float(text) if key == "makeover" else int(text)
        except ValueError:
            raise DataError(
                f"{spec}: {key} is {text!r}, expected a number as in {key}={DEFAULTS[key]:g}"
            ) from None
    if (
        numbers["people"] < 3
        or numbers["views"] < 1
        or numbers["seed"] < 0
        or not 0 <= numbers["makeover"] <= 1
        or numbers["lookalikes"] not in (0, 1)
        or numbers["shapes"] not in (0, 1)
    ):
        raise DataError(
            f"{spec}: needs people >= 3, views >= 1, seed >= 0, makeover from 0 to 1, lookalikes and shapes 0 or 1"
        )
    if numbers["shapes"] and (not numbers["lookalikes"] or numbers["views"] % 2):
        raise DataError(f"{spec}: shapes=1 needs lookalikes=1 and an even number of views")
    return numbers


def folder(spec: str, size: int) -> Path:
    """Where these faces lie, or will; nothing is made.

    Args:
        spec: "rendered:key=value,..." (parse).
        size: Side of a picture, pixels.

    Returns:
        A folder of SMOOTHSWAP_CACHE, or of ~/.cache/smoothswap, whose name holds every number and the
        renderer's version.

    Raises:
        DataError: As parse.
    """
    from smoothswap.rendered import VERSION

    cache = os.environ.get("SMOOTHSWAP_CACHE")
    base = Path(cache) if cache else Path.home() / ".cache" / "smoothswap"
    name = "-".join(f"{key}{value:g}" for key, value in parse(spec).items())
    return base / f"faces-v{VERSION}-{size}px-{name}"


def ensure(spec: str, size: int, workers: int | None = None) -> None:
    """Render the faces that `spec` names into folder(spec, size) unless they are there, whole or not at all.

    One process at a time does so; what is there is held against its hash, and made again where it is damaged.

    Args:
        spec: "rendered:key=value,..." (parse).
        size: Side of a picture, pixels.
        workers: Processes that render; None: one a core.

    Raises:
        DataError: For a spec that cannot be read and for a cache that cannot be written.
    """
    from smoothswap.rendered.dataset import write_faces

    numbers, out = parse(spec), folder(spec, size)
    people, views, seed = (int(numbers[key]) for key in ("people", "views", "seed"))
    try:
        with one_at_a_time(out):
            if damaged := _damaged(out):
                say_damaged(out, damaged)
            elif (out / "faces.npy").is_file():
                return
            write_faces(
                out,
                people,
                views,
                size,
                seed,
                workers or cores(),
                numbers["makeover"],
                bool(numbers["lookalikes"]),
                bool(numbers["shapes"]),
            )
    except OSError as error:
        raise DataError(
            f"cannot render faces into {out}: {error.strerror or error}; SMOOTHSWAP_CACHE names another folder"
        ) from None


def _damaged(out: Path) -> list[str]:
    """Which files of kept faces are not as they were written; none where nothing is kept."""
    if not (out / "faces.npy").is_file():
        return []
    try:
        wanted = read_json(out / "meta.json")["faces_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return ["meta.json"]
    return [] if sha256_of(out / "faces.npy") == wanted else ["faces.npy"]
