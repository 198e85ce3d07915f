"""Trials of what is read and checked: hostile JSON, TOML and Parquet for every reader, and runs that were changed."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.faults import readers, runs, tables, tampering, texts
from bench.faults.campaign import Kind, NotHereError, Trial
from bench.faults.children import inside
from bench.faults.lasting import lasting_folder
from bench.faults.readers import Reader
from bench.faults.tampered import Run, TamperFault
from bench.faults.texts import TextFault

ROOT = Path(__file__).resolve().parents[2]
MODEL = "copy-source"
_SECONDS = 120.0


@functools.cache
def finished() -> Path:
    """A finished run of a model with its references, and its page: what is damaged and changed."""
    return runs.make(lasting_folder(), "run", ["--model", "classical"])


# ---- readers ----
@dataclass(frozen=True)
class _Read:
    """A reader with a file that it reads: one in a run, or one of the project's own."""

    reader: Reader
    file: str
    of_run: bool = False


def _of_runs(kinds: tuple[TextFault, ...], file: str) -> tuple[_Read, ...]:
    return tuple(_Read(Reader(name, kinds, read), file, True) for name, read in readers.OF_RUNS.items())


JSON = (
    *_of_runs(texts.JSON, f"{MODEL}/results.json"),
    _Read(readers.BASELINE, "bench/baselines/smoothswap-rendered.json"),
    *(
        _Read(reader, f"results/{name}.json")
        for reader in readers.STUDY
        for name in ("ablation", "embedders-rendered", "validity")
    ),
)
TOML = (
    _Read(readers.PRESET, "smoothswap/presets/lite-64.toml"),
    _Read(readers.RECIPE, "smoothswap/weights/recipe.toml"),
)
PARQUET = tuple(
    one for name in (f"{MODEL}/frames.parquet", "originals.parquet") for one in _of_runs(tables.PARQUET, name)
)


def read(fault: TextFault, among: tuple[_Read, ...]) -> Trial:
    """A damaged file is read by one reader after another, by the seed.

    Args:
        fault: The kind of damage.
        among: Readers and their files.

    Returns:
        Its trial: content or one of the project's errors.
    """

    def trial(seed: int, place: Path) -> str:
        one = among[seed % len(among)]
        if not one.of_run and not (ROOT / one.file).is_file():
            raise NotHereError("only a checkout has the committed results")

        def reading(_: object) -> int:
            if one.of_run:
                path = readers.damaged_run(finished(), one.file, fault, seed, Path("run"))
                if seed % 2:
                    readers.rehash(Path("run"), one.file)
                came, said = readers.came_of(one.reader.read, path.resolve())
            else:
                came, said = one.reader.trial(fault, seed, ROOT / one.file, Path("work"))
            print(
                f"{one.reader.name}: {said.strip().splitlines()[-1]}" if came == "traceback" else "", end=""
            )
            return 0

        if one.of_run:
            finished()  # by this process, and once
        ended = inside(reading, [], place, _SECONDS)
        if ended.code != 0:
            return f"{one.reader.name}: ended with {ended.code}: {ended.error.strip()[-100:]}"
        return ended.out

    return trial


# ---- changed runs ----
def changed(fault: TamperFault) -> Trial:
    """A finished run is changed, its hashes left alone or, with odd seeds, put right; bench.verify checks it.

    Args:
        fault: The kind of change.

    Returns:
        Its trial: the verifier names it, unless it is harmless.
    """

    def trial(seed: int, place: Path) -> str:
        whole = finished()
        if not fault.fits(Run(whole, MODEL)):
            raise NotHereError("the run of the campaign has nothing to change so")
        shutil.copytree(whole, place / "run")
        run = Run(place / "run", MODEL)
        mended = bool(seed % 2)
        fault.inject(run, mended)
        found = tampering.violations(run.folder)
        if found is None:
            return "bench.verify stopped with a traceback"
        missed = fault.said and not found
        return f"not named, hashes {'put right' if mended else 'left alone'}" if missed else ""

    return trial


def _kinds(
    family: str, faults: tuple[TextFault, ...], among: tuple[_Read, ...], count: int
) -> tuple[Kind, ...]:
    return tuple(Kind(family, fault.name, read(fault, among), count, 0) for fault in faults)


KINDS = (
    *_kinds("hostile JSON", texts.JSON, JSON, 30),
    *_kinds("hostile TOML", texts.TOML, TOML, 30),
    *_kinds("hostile Parquet", tables.PARQUET, PARQUET, 20),
    *(Kind("changed runs", fault.name, changed(fault), 2, 0) for fault in tampering.FAULTS),
)
"""Every kind of these."""
