"""Align and crop a data set of photos once, for training.

    python -m smoothswap.prepare SOURCE --kind folder|lfw|vggface2|ffhq --out DIR --size 64

Every photo that the source should hold (smoothswap.data.sources) becomes an FFHQ-aligned crop, cut once from the original,
or a row of DIR/ledger.parquet with the reason why not. DIR is what `smoothswap.train --data DIR` reads
(smoothswap.data.store) or, with --shards, what smoothswap.data.shards streams. Work is kept in
DIR/parts while it goes on: a run that was stopped
or killed goes on where it was when the same command is given again, and its bytes are the same.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from smoothswap.cli import Parser, at_least, command_with, foresee_folder, real
from smoothswap.data.build import assemble, photos_sha256, write_json
from smoothswap.data.crop import RULES, STATUSES, Cutter, cut_all, shown
from smoothswap.data.sources import CENTRED, FFHQ_ALIGNED, KINDS, SPLITS, list_photos
from smoothswap.data.store import read_json
from smoothswap.errors import EXIT_OK, DataError, UsageError, few, suggestion
from smoothswap.faces.detect import Detector
from smoothswap.plumbing.made import make_folder
from smoothswap.workers import cores

VERSION = 1  # raise it whenever the same photo comes to give another crop
PART = 64  # photos a part file: what a kill loses, at most, of each worker
EXAMPLES = """
examples:
  python -m smoothswap.prepare lfw_deepfunneled --kind lfw --people peopleDevTrain.txt --out faces/lfw --size 64
  python -m smoothswap.prepare VGGFace2 --kind vggface2 --out faces/vgg --size 256 --workers 32
  python -m smoothswap.prepare ffhq --kind ffhq --aligned --out faces/ffhq --size 256      published 1024 px images
  python -m smoothswap.prepare my_photos --kind folder --out faces/mine --size 128         my_photos/Name/photo.jpg
  python -m smoothswap.prepare VGGFace2 --kind vggface2 --out shards --size 256 --shards 10000 --format jpg
  python -m smoothswap.train embedder --data faces/lfw --out runs/lfw --set photos=4 --set few_photos=repeat

layouts:
  folder    Name/photo.jpg; the last --set held_out=0.1 of the people are for validation
  lfw       Name/Name_0001.jpg; with --people, files that its numbers announce are expected, there or not
  vggface2  train/n000001/0001_01.jpg and test/...: the people of test are for validation
  ffhq      00000/00000.png: each photo its own person. --split 63k: 63,000 and later are for validation; official:
            60,000 and later; seeded: 7,000 drawn by --seed

statuses in the ledger: ok, no_face, many_faces, decode_error, too_small. A photo over 64 million pixels is refused
unread (decode_error).
exit codes: 0 prepared, 2 a wrong option, 3 a source or an output folder that cannot be used, 128 + n after signal n
"""


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "python -m smoothswap.prepare",
        description="Align and crop a data set of photos once, for training.",
        epilog=EXAMPLES,
    )
    add = made.add_argument
    add("source", type=Path, metavar="SOURCE", help="folder of the photos; nothing is written into it")
    add("--kind", required=True, choices=KINDS, help="how SOURCE is laid out, see below")
    add("--out", type=Path, required=True, metavar="DIR", help="the prepared data set, not inside SOURCE")
    add("--size", type=at_least(16), default=64, metavar="PX", help="side of a crop (%(default)s)")
    add(
        "--split",
        metavar="NAME",
        help="; ".join(f"{k}: {', '.join(s)}" for k, s in SPLITS.items() if len(s) > 1),
    )
    add(
        "--people",
        type=Path,
        metavar="FILE",
        help="only these people: LFW's form (a count, then Name<TAB>photos), or one name a line",
    )
    add(
        "--many-faces",
        choices=RULES,
        metavar="RULE",
        dest="rule",
        help="of several faces, the one nearest to the photo's centre, the largest, or refuse the photo: "
        "centre, largest, refuse (centre for lfw and vggface2, else largest)",
    )
    add(
        "--min-face",
        type=real(0),
        metavar="PX",
        help="least side of a face's FFHQ square in the photo; a smaller one is too_small (half of --size)",
    )
    add(
        "--aligned",
        action="store_true",
        help="the photos are aligned and square already, as FFHQ publishes them: only resize (Lanczos)",
    )
    add(
        "--shards",
        type=at_least(0),
        default=0,
        metavar="N",
        help="write tars of N photos in seeded order instead of one faces.npy (%(default)s: faces.npy)",
    )
    add("--format", choices=("png", "jpg"), default="png", help="of the photos in shards (%(default)s)")
    add(
        "--seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="of ffhq's seeded split and of the shards (%(default)s)",
    )
    add(
        "--workers",
        type=at_least(1),
        default=cores(),
        metavar="N",
        help="processes (%(default)s)",
    )
    return made


def check(options: argparse.Namespace) -> None:
    """Raise UsageError for options that do not fit together, and fill in the defaults that depend on others."""
    splits = SPLITS[options.kind]
    options.split = options.split or splits[0]
    if options.split not in splits:
        raise UsageError(
            f"--kind {options.kind} has no split {options.split!r}.{suggestion(options.split, splits)} "
            f"Splits: {', '.join(splits)}"
        )
    if options.people and options.kind == "ffhq":
        raise UsageError("--people is for sets with identities; ffhq has none")
    source, out = (os.path.realpath(path) for path in (options.source, options.out))
    if os.path.commonpath([source, out]) == source:
        raise UsageError(f"--out {str(options.out)!r} lies inside SOURCE; name a folder elsewhere")
    published = [
        name for name in FFHQ_ALIGNED if name == options.source.name or (options.source / name).is_dir()
    ]
    if options.kind == "ffhq" and published and not options.aligned:
        raise UsageError(
            f"{published[0]} holds faces that are aligned already: add --aligned, a second cut would only blur"
        )
    options.rule = options.rule or ("centre" if options.kind in CENTRED else "largest")
    options.min_face = options.size / 2 if options.min_face is None else options.min_face
    if not 0 <= options.min_face < float("inf"):
        raise UsageError(f"--min-face {options.min_face} is not a number of pixels")


def prepare(options: argparse.Namespace) -> str:
    """Do what the checked options say; returns the closing summary. Raises DataError, OutputError, DetectorError."""
    started = time.monotonic()
    listing = list_photos(options.kind, options.source, options.split, options.people, options.seed)
    out, photos = options.out, listing.photos
    cutter = Cutter(
        str(options.source),
        options.size,
        options.rule,
        options.aligned,
        options.min_face,
        options.format if options.shards else "raw",
    )
    detector = Detector()
    plan: dict[str, Any] = {
        "version": VERSION,
        "kind": options.kind,
        "split": options.split,
        "size": options.size,
        "many_faces": options.rule,
        "min_face": options.min_face,
        "aligned": options.aligned,
        "shards": options.shards,
        "format": cutter.form,
        "seed": options.seed,
        "detector": {
            "name": detector.name,
            **detector.parameters,
            "landmarks_sha256": detector.weights_sha256,
        },
        "photos_sha256": photos_sha256(listing),
    }
    if options.aligned:
        del plan["detector"], plan["many_faces"]
    work = out / "parts"
    done = _take_up(out, work, plan)
    if done is None:
        # Shards are read from end to end: their order must be a good shuffle. faces.npy is in order of the people.
        order = np.arange(len(photos))
        if options.shards:
            order = np.random.default_rng([options.seed, 0]).permutation(len(photos))
        jobs = [order[i : i + PART] for i in range(0, len(photos), PART)]
        parts = [work / f"{i:07d}.npz" for i in range(len(jobs))]
        todo = [(job, part) for job, part in zip(jobs, parts, strict=True) if not part.is_file()]
        left = sum(len(job) for job, _ in todo)
        with tqdm(
            total=len(photos),
            initial=len(photos) - left,
            desc="cutting faces",
            unit="photo",
            file=sys.stderr,
            mininterval=1,
        ) as bar:
            work_left = [([photos[i] for i in job], part) for job, part in todo]
            for count in cut_all(cutter, work_left, options.workers):
                bar.update(count)
        about = {
            "source": shown(options.source.resolve().name),
            "command": _command(options),
            "seed": options.seed,
            "plan": plan,
        }
        done = assemble(out, parts, listing, order, cutter, options.shards, about)
        speed = (
            f"{left / max(time.monotonic() - started, 1e-9):.1f} photos a second"
            if left
            else "all cut before"
        )
    else:
        speed = "was prepared before"
    shutil.rmtree(work, ignore_errors=True)
    return summary(out, done, speed)


def _take_up(out: Path, work: Path, plan: dict[str, Any]) -> dict[str, Any] | None:
    """meta.json of a finished run of this plan; None where there is work to do, its folder and plan then in place."""
    try:
        meta = read_json(out / "meta.json", None)
        begun = read_json(work / "plan.json", None)
        other = "holds another data set, or one prepared otherwise; name a new --out, or give the first command again"
        if meta is not None:
            if not isinstance(meta, dict) or meta.get("plan") != plan:
                raise DataError(f"{out} {other}")
            return meta
        if begun is None:
            if out.exists() and (not out.is_dir() or any(path != work for path in out.iterdir())):
                raise DataError(
                    f"{out} {other if (out / 'faces.npy').exists() else 'is not an empty folder; name a new --out'}"
                )
            make_folder(work)
            write_json(work / "plan.json", plan)
        elif begun != plan:
            changed = ", ".join(key for key in plan if begun.get(key) != plan[key])
            raise DataError(
                f"{out} was begun with other options or photos ({changed}); give the same, or a new --out"
            )
    except OSError as error:
        raise DataError(f"cannot write to {out} ({error.strerror}); choose another --out") from error
    return None


def _command(options: argparse.Namespace) -> str:
    """The command without what changes no byte: folders and workers."""
    words = [
        "python",
        "-m",
        "smoothswap.prepare",
        shown(options.source.resolve().name),
        "--kind",
        options.kind,
        "--size",
        str(options.size),
        "--split",
        options.split,
        "--seed",
        str(options.seed),
        "--min-face",
        f"{options.min_face:g}",
    ]
    words += ["--people", shown(options.people.name)] if options.people else []
    words += ["--aligned"] if options.aligned else ["--many-faces", options.rule]
    words += ["--shards", str(options.shards), "--format", options.format] if options.shards else []
    return shlex.join(words)


def summary(out: Path, meta: dict[str, Any], speed: str) -> str:
    """The closing lines: what was kept, what failed, and what to do next.

    Args:
        out: The prepared data set.
        meta: Its meta.json.
        speed: How fast it went, as a clause.

    Returns:
        Lines joined by line breaks, the last without one.
    """
    counts, size = meta["counts"], meta["plan"]["size"]
    failed = ", ".join(f"{counts[s]} {s}" for s in STATUSES[1:] if counts[s]) or "none"
    kept = f"{meta['photos']} of {meta['expected']} photos kept, {meta['people']} people, {size} x {size}"
    lines = [
        f"{out}: {kept}; {speed}",
        f"left out: {failed}; each photo's reason is in {out / 'ledger.parquet'}",
    ]
    if meta["people_without_a_crop"]:
        lines.append(f"people without any crop: {meta['people_without_a_crop']}")
    if meta["ignored_entries"]:
        named = few(meta["ignored"], most=3) if "ignored" in meta else ""
        lines.append(
            f"passed over: {meta['ignored_entries']} other files and folders, no photos of this layout"
            f"{f': {named}' if named else ''}"
        )
    for photos in meta.get("identical", []):
        lines.append(f"the same photo under {len(photos)} names: {few(photos)}")
    if "shards" in meta:
        lines.append(
            f"{len(meta['shards'])} shards; read them with smoothswap.data.shards.ShardedFaces({str(out)!r})"
        )
    else:
        lines.append(
            f"next: python -m smoothswap.train embedder --data {shlex.quote(str(out))} --out runs/embedder"
        )
    return "\n".join(lines)


@command_with(stopped="stopped; give the same command again, it goes on where it was")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (argparse raises SystemExit itself)."""
    options = parser().parse_args(argv)
    check(options)
    foresee_folder(options.out)
    print(prepare(options).encode("utf-8", "backslashreplace").decode())
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
