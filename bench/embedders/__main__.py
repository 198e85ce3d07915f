"""Train what is asked for, read the same faces with every embedder, measure, compare, write embedders.json and its page."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.cli import command
from bench.embedders import measures
from bench.embedders.faces import Faces, open_faces, read, source_of, usable
from bench.embedders.figure9 import interpolations
from bench.embedders.networks import Network, Rows, grouped, open_network
from bench.embedders.options import parser
from bench.embedders.paths import KINDS, measure, measure_pixels, render
from bench.embedders.results import compared, definitions, estimates, with_seeds_of
from bench.embedders.training import jobs, train_all
from bench.environment import environment
from bench.errors import EXIT_OK, DataError, UsageError
from metrics.statistics.replicates import Replicated
from reports.results import write_atomic
from reports.studies.embedders import PICTURE, markdown, write_embedders, write_page
from reports.studies.schema_embedders import VERSION
from smoothswap.cli import check_folder
from smoothswap.config import load_preset
from smoothswap.rendered import on_demand


def run(options: argparse.Namespace, argv: Sequence[str]) -> tuple[dict[str, Any], bytes]:
    """Train, read and measure; what embedders.json holds and the picture.

    Args:
        options: What `parser` gave. A `data` of rendered faces becomes the folder that they were made in.
        argv: The arguments, for the command line that embedders.json names.

    Returns:
        Content of embedders.json; the picture of Fig. 9, a WebP file.

    Raises:
        UsageError: For nothing to compare, a wrong option or embedder, one network twice.
        DataError: For faces, photos and folders that cannot be used.
        EndedEarly: Where a training was stopped or failed.
        InstrumentError: For a crop that nobody knows how to cut.
    """
    import torch

    started = time.monotonic()
    wanted = jobs(options)
    if not wanted and not options.embedder:
        raise UsageError(
            "nothing to compare: give --embedder NAME=WHAT, or --train contrastive,arcface,softmax"
        )
    photos = _photos(options.lfw)
    check_folder(options.out)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    if options.data.startswith(on_demand.PREFIX):
        size = load_preset(options.preset, "embedder").network.size
        on_demand.ensure(options.data, size)
        options.data = str(on_demand.folder(options.data, size))
    given = [open_network(text) for text in options.embedder]  # before the hours of training
    judge = open_network(options.probe) if options.probe else None
    gallery, test = open_faces(Path(options.data), options.test)
    train_all(wanted, options)
    groups = grouped(given + [open_network(f"{job.loss}={job.folder}") for job in wanted])
    networks = [one for group in groups.values() for one in group]
    kept = options.out / "readings"
    readings = [
        (read(one, test, photos, kept, "test faces"), read(one, gallery, photos, kept, "gallery"))
        for one in networks
    ]
    judged = None if judge is None else read(judge, test, photos, kept, "test faces, for the probe")
    good = usable([of_test for of_test, _ in readings] + ([] if judged is None else [judged]))
    in_gallery = usable([of_gallery for _, of_gallery in readings])
    readings = [(rows, np.where(in_gallery[:, None], of_gallery, np.nan)) for rows, of_gallery in readings]
    sample = measures.draw(test.people, good, options.pairs, options.seed)
    measured: list[dict[str, Replicated]] = []
    for one, (of_test, of_gallery) in zip(networks, readings, strict=True):
        print(f"measuring {one.name}{'' if one.seed is None else f', seed {one.seed}'}", file=sys.stderr)
        measured.append(measures.figures(of_test, of_gallery, test, gallery, sample))
        if judged is not None:
            measured[-1] |= measures.probed(of_test, judged, test.people, good, sample, options.seed)
    spectra = [measures.spectrum_of(of_test, sample) for of_test, _ in readings]
    paths = _paths(options, networks, measured) if options.rendered else None
    by_group = with_seeds_of(groups, measured)
    picture, shown = _picture(options, groups, networks, readings, test, gallery, sample)
    embedders = {
        name: estimates(by_group[name], measures.clusters(test, sample, good), options.paths)
        | {
            "networks": [one.about | {"crops": source_of(one, test, photos)} for one in group],
            "spectrum": _mean([spectra[networks.index(one)] for one in group]),
        }
        for name, group in groups.items()
    }
    return {
        "schema_version": VERSION,
        "command": shlex.join(["python", "-m", "bench.embedders", *argv]),
        "embedders": embedders,
        "differences": compared(by_group),
        "definitions": definitions(by_group),
        "paths": paths,
        "interpolations": shown,
        "probe": None
        if judge is None
        else judge.about | {"name": judge.name, "crops": source_of(judge, test, photos)},
        "data": {
            "gallery": gallery.about(),
            "test": test.about(),
            "left_out": {"test": int((~good).sum()), "gallery": int((~in_gallery).sum())},
        },
        "options": measures.options(sample, options.seed) | {"rendered": options.rendered},
        "environment": environment("cpu", 1),
        "seconds": round(time.monotonic() - started, 1),
    }, picture


def _photos(lfw: Path | None) -> Path | None:
    if lfw is not None and not (lfw / "images_deepfunneled").is_dir():
        raise DataError(
            f"{lfw / 'images_deepfunneled'} is missing: --lfw is a folder with LFW's photos in it"
        )
    return None if lfw is None else lfw / "images_deepfunneled"


def _paths(
    options: argparse.Namespace, networks: Sequence[Network], measured: Sequence[dict[str, Replicated]]
) -> dict[str, Any]:
    """Add the figures of rendered paths to `measured`; returns curves and the pixels' own figures."""
    crops = [one.crop for one in networks]
    rendered = render(crops, options.paths, options.seed, options.path_steps)
    curves: dict[str, list[dict[str, list[float]]]] = {}
    for one, figures in zip(networks, measured, strict=True):
        result = measure(one, rendered)
        figures.update(result.figures)
        curves.setdefault(one.name, []).append(result.curves)
    pixels = measure_pixels(rendered)
    means = {name: {kind: _mean([c[kind] for c in each]) for kind in KINDS} for name, each in curves.items()}
    return {
        "steps": options.path_steps,
        "count": options.paths,
        "kinds": list(KINDS),
        "curves": means | {"pixels": pixels.curves},
        "pixels": estimates(
            # Not the extent of a morph: grey levels, where the embedders' is in radians.
            {key: [one] for key, one in pixels.figures.items() if key != "path_extent@morph"},
            {},
            options.paths,
        ),
    }


def _picture(
    options: argparse.Namespace,
    groups: dict[str, list[Network]],
    networks: Sequence[Network],
    readings: Sequence[tuple[Rows, Rows]],
    test: Faces,
    gallery: Faces,
    sample: measures.Sample,
) -> tuple[bytes, dict[str, Any]]:
    """Fig. 9 of the first network of every group, on the first pairs of the sample."""
    first = [(name, *readings[networks.index(group[0])]) for name, group in groups.items()]
    ends = [(int(a), int(b)) for a, b in zip(sample.a, sample.b, strict=True)][: options.shown]
    return interpolations(first, test, gallery, ends)


def _mean(lists: Sequence[Sequence[float]]) -> list[float]:
    return [float(v) for v in np.mean(np.array(lists), axis=0)]


@command
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(given)
    results, picture = run(options, given)
    write_atomic(options.out / PICTURE, picture)
    write_embedders(options.out, results)
    page = write_page(options.out, results, picture)
    print(json.dumps(results, indent=1) if options.json else markdown(results))
    print(f"page: {page.resolve()}", file=sys.stderr)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
