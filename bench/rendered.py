"""Make a FaceForensics++ tree of rendered faces.

Example:
  python -m bench.rendered --out /data/rendered --identities 40 --frames 24 --size 128 --seed 0
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from smoothswap.cli import Parser, at_least, check_folder, command


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: made (or already there); 2: an option or the output folder is wrong."""
    parser = Parser("python -m bench.rendered", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder for the tree")
    parser.add_argument(
        "--identities", type=at_least(2), default=40, metavar="N", help="people, an even number (40)"
    )
    parser.add_argument(
        "--frames", type=at_least(1), default=24, metavar="F", help="frames of a clip, 12.5 a second (24)"
    )
    parser.add_argument(
        "--size", type=at_least(64), default=128, metavar="S", help="pixels of a side, even (128)"
    )
    parser.add_argument(
        "--seed", type=at_least(0), default=0, metavar="K", help="another seed, other people (0)"
    )
    parser.add_argument(
        "--workers", type=at_least(1), metavar="W", help="processes (as many as there are cores)"
    )
    parser.add_argument(
        "--world",
        type=int,
        choices=(3, 4),
        default=3,
        metavar="V",
        help="version of the rendered world: 3 or 4 (3)",
    )
    a = parser.parse_args(argv)
    check_folder(a.out.absolute().parent)
    from smoothswap.rendered import write_ffpp

    def progress(done: Iterable[Any], total: int) -> Iterable[Any]:
        return tqdm(done, total=total, desc="rendering clips", unit="clip", file=sys.stderr)

    started = time.monotonic()
    manifest = write_ffpp(a.out, a.identities, a.frames, a.size, a.seed, a.workers, progress, a.world)
    count = len(manifest["clips"]) * manifest["frames"]
    seconds = time.monotonic() - started
    print(
        f"{a.out}: {len(manifest['clips'])} clips, {count} frames of {a.size} px in {seconds:.1f} s "
        f"({count / seconds:.0f} frames a second)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
