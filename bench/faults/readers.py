"""Everything that reads JSON, TOML or Parquet of others, as a trial can drive it: one damaged file, one reading.

A trial is passed when the reader ends in its content or in one of the project's errors; any other exception is a traceback.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.faults import texts
from bench.faults.texts import TextFault

Came = Literal["read", "refused", "traceback"]


@dataclass(frozen=True)
class Reader:
    """One way to read one file.

    Args:
        name: Of the reader.
        kinds: Of damage that the file may have.
        read: Reads the copy at this path, whose folder is the reader's own; returns a command's exit code, or None.
    """

    name: str
    kinds: Sequence[TextFault]
    read: Callable[[Path], int | None]

    def trial(self, fault: TextFault, seed: int, whole: Path, work: Path) -> tuple[Came, str]:
        """Damage a copy of a file and read it.

        Args:
            fault: The kind of damage.
            seed: Of what is drawn.
            whole: The file, or the file inside of a folder that the reader takes, which is copied as a whole.
            work: An empty folder that is there, or none yet.

        Returns:
            What came of it, and the traceback's text or the error's.
        """
        path = work / whole.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fault.forge(seed, whole.read_bytes()))
        return came_of(self.read, path)


def came_of(read: Callable[[Path], int | None], path: Path) -> tuple[Came, str]:
    """What comes of a reading.

    Args:
        read: Reads, and returns a command's exit code or None.
        path: What it is given.

    Returns:
        "read", "refused" by an error of the project, or "traceback"; and the text of either.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            code = read(path)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 2
    except _errors():
        return "refused", traceback.format_exc(limit=0)
    except BaseException as error:  # what is counted
        if isinstance(error, KeyboardInterrupt):
            raise
        return "traceback", traceback.format_exc()
    return ("refused" if code else "read"), said.getvalue()


def _errors() -> tuple[type[Exception], ...]:
    from reports.results import OutputError, ResultsError
    from smoothswap.plumbing.errors import DataError, UsageError

    return (OutputError, ResultsError, DataError, UsageError)


def _verify(path: Path) -> int:
    from bench.verify.__main__ import main

    return main([str(_run_of(path))])


def _table(path: Path) -> int:
    """The table of a run, which reads of each model what the page reads."""
    from reports.__main__ import main

    return main([str(_run_of(path)), "--format", "csv"])


def _page(path: Path) -> int:
    from reports.__main__ import main

    run = (
        path if path.suffix == ".json" and path.name not in ("results.json", "slices.json") else _run_of(path)
    )
    return main([str(run), "-o", str(path.parent / "page.html")])


def _study_words(path: Path) -> int:
    from reports.__main__ import main

    return main([str(path), "--format", "md"])


def _index(path: Path) -> int:
    from reports.__main__ import main

    return main(["--index", str(_run_of(path).parent)])


def _compare(path: Path) -> int:
    from bench.compare.__main__ import main

    models = sorted(folder for folder in _run_of(path).iterdir() if (folder / "frames.parquet").is_file())
    return main([str(models[0]), str(models[-1])])


def _rescore(path: Path) -> int:
    from bench.rescore import main

    run = _run_of(path)
    return main([str(run), "--out", str(run.parent / "again"), "--no-pictures"])


def _baseline(path: Path) -> None:
    from bench.regress import baseline

    baseline.read(path)


def _preset(path: Path) -> None:
    from smoothswap.config import load_preset

    for part in ("embedder", "swapper"):
        load_preset(str(path), part)


def _recipe(path: Path) -> None:
    from smoothswap.recipe import needed, read_recipe

    stages = read_recipe(path)
    for stage in stages.values():
        needed(stages, stage.name)
        stage.command({"runs": "r", "lfw": "l", "weights": "w"})


def _card(path: Path) -> None:
    from smoothswap import pretrained

    about = pretrained.card(path.with_suffix(".safetensors"))
    pretrained.domain(about)
    pretrained.lineage_of(path.with_suffix(".safetensors"))


def _list(path: Path) -> None:
    from bench.data.lists.table import read_table

    read_table(path)


def _split(path: Path) -> None:
    from bench.data.ffpp import _pairs_of

    _pairs_of(path)


def _run_of(path: Path) -> Path:
    """The run's folder of a file: one above a model's."""
    here = path.parent
    return here if (here / "originals.parquet").is_file() or path.name == "originals.parquet" else here.parent


OF_RUNS: Mapping[str, Callable[[Path], int | None]] = {
    "bench.verify": _verify,
    "reports": _table,
    "reports --index": _index,
    "bench.compare": _compare,
    "bench.rescore": _rescore,
}
"""By name, what reads a whole run's folder."""
STUDY = (
    Reader("reports STUDY", texts.JSON, _page),
    Reader("reports STUDY --format md", texts.JSON, _study_words),
)
BASELINE = Reader("bench.regress", texts.JSON, _baseline)
PRESET = Reader("presets", texts.TOML, _preset)
RECIPE = Reader("smoothswap.recipe", texts.TOML, _recipe)
CARD = Reader("cards", texts.JSON, _card)
LIST = Reader("pair lists", texts.JSON, _list)
SPLIT = Reader("splits", texts.JSON, _split)


def damaged_run(run: Path, name: str, fault: TextFault, seed: int, work: Path) -> Path:
    """A copy of a run with one of its files damaged.

    Args:
        run: A whole run.
        name: The file in it, as "model/results.json".
        fault: The kind of damage.
        seed: Of what is drawn.
        work: Where the copy goes; not there yet.

    Returns:
        The damaged file.
    """
    shutil.copytree(run, work)
    path = work / name
    path.write_bytes(fault.forge(seed, path.read_bytes()))
    return path


def rehash(run: Path, name: str) -> None:
    """Put the hashes of a file right, so that readers look at what is in it.

    Args:
        run: The run's folder.
        name: The file in it, as "model/frames.parquet".
    """
    import hashlib
    import json

    changed = run / name
    digest = hashlib.sha256(changed.read_bytes()).hexdigest()
    for results in run.glob("*/results.json"):
        key = f"../{name}" if "/" not in name else changed.name if results.parent == changed.parent else None
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            content = json.loads(results.read_bytes())
            if key in content["files"]:
                content["files"][key] = digest
                results.write_text(json.dumps(content))
