"""Make the committed weights again, stage by stage, as smoothswap/weights/recipe.toml says.

A stage that is done is left alone; one that was stopped goes on where it was. What is done stands in RUNS/recipe.json.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smoothswap import pretrained
from smoothswap.checkpoint import write_atomic
from smoothswap.cli import Parser, command
from smoothswap.errors import EXIT_OK, DataError, EndedEarly, UsageError, suggestion
from smoothswap.plumbing.texts import TextError, read_json, read_toml

RECIPE = pretrained.FOLDER / "recipe.toml"
KEYS = {"name", "module", "arguments", "output", "needs", "weights", "whole"}
_KINDS = {"needs": "list of texts", "whole": "true or false"}
OURS = ("smoothswap", "bench", "metrics", "reports")
EXAMPLES = """examples:
  python -m smoothswap.recipe --dry-run                      the commands, in order
  python -m smoothswap.recipe --list                         the stages of each of the committed weights
  python -m smoothswap.recipe --lfw ~/lfw                    run what is missing
  python -m smoothswap.recipe --only export-recogniser       one stage with those that it needs
"""


@dataclass(frozen=True)
class Stage:
    """One command of the recipe. `whole`: its output appears only when it is done."""

    name: str
    module: str
    arguments: str
    output: str = ""
    needs: tuple[str, ...] = ()
    weights: str = ""
    whole: bool = False

    def command(self, places: dict[str, str]) -> list[str]:
        """What is run, the places filled in after the words are parted, so that a folder may hold spaces.

        Args:
            places: Folders by what stands for them.

        Raises:
            DataError: The arguments cannot be parted, or name other places.
        """
        try:
            words = [word.format(**places) for word in shlex.split(self.arguments)]
        except (ValueError, LookupError, AttributeError) as error:
            raise DataError(
                f"the arguments of stage {self.name!r} cannot be parted or filled in: {error}"
            ) from None
        return [sys.executable, "-m", self.module, *words]


def read_recipe(path: Path = RECIPE) -> dict[str, Stage]:
    """The stages by name, each after those that it needs. Raises DataError for a file that is no recipe."""
    try:
        found = read_toml(path).get("stage", [])
    except (OSError, TextError) as error:
        raise DataError(f"{path} is no recipe: {error}") from error
    if not (isinstance(found, list) and all(isinstance(entry, dict) for entry in found)):
        raise DataError(f"{path}: stage is no list of tables, as [[stage]] makes one")
    stages: dict[str, Stage] = {}
    for entry in found:
        name = entry.get("name", "?")
        if wrong := _wrong(entry):
            raise DataError(f"{path}: stage {name!r} {wrong}")
        if late := [need for need in entry.get("needs", ()) if need not in stages]:
            raise DataError(f"{path}: stage {name!r} needs {late[0]!r}, which does not stand before it")
        stages[name] = Stage(**{**entry, "needs": tuple(entry.get("needs", ()))})
    return stages


def _wrong(entry: dict[str, Any]) -> str:
    """What is wrong with a stage by itself."""
    if unknown := set(entry) - KEYS:
        return f"has the unknown key {min(unknown)!r}"
    if missing := {"name", "module", "arguments"} - set(entry):
        return f"has no {min(missing)!r}"
    for key, value in entry.items():
        if not _fits(key, value):
            return f"has {key} = {value!r}"[:80] + f", which is no {_KINDS.get(key, 'text')}"
    if entry["module"].partition(".")[0] not in OURS:
        return f"has the module {entry['module']!r}, which is none of this project's"
    try:
        entry.get("output", "").format(runs="runs", lfw="lfw", weights="weights")
    except (ValueError, LookupError, AttributeError) as error:
        return f"has an output that cannot be filled in: {error}"
    return ""


def _fits(key: str, value: object) -> bool:
    if key == "needs":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, bool if key == "whole" else str)


def needed(stages: dict[str, Stage], name: str) -> list[str]:
    """`name` and every stage that it needs, in the recipe's order.

    Args:
        stages: The recipe, each stage after those that it needs (read_recipe).
        name: One of them.

    Returns:
        Names; those needed by what is needed are among them.
    """
    wanted = {name}
    for stage in reversed(stages.values()):
        if stage.name in wanted:
            wanted.update(stage.needs)
    return [stage for stage in stages if stage in wanted]


class Progress:
    """What is done, as RUNS/recipe.json keeps it: the command of each finished stage and its seconds."""

    def __init__(self, runs: Path) -> None:
        self.path = runs / "recipe.json"
        self.done: dict[str, Any] = {}
        if self.path.exists():
            try:
                self.done = read_json(self.path)
                if not all("command" in stage for stage in self.done.values()):
                    raise TextError("a stage without its command")
            except (OSError, ValueError, AttributeError, TypeError) as error:
                raise DataError(f"{self.path} cannot be read ({error}); remove it") from error

    def holds(self, stage: Stage, places: dict[str, str]) -> bool:
        """Whether `stage` was finished with the command it has now, and its output is still there.

        A `whole` stage that is not in the record counts as finished: its output says so.

        Args:
            stage: One of the recipe's.
            places: Folders by what stands for them in the recipe: "runs", "lfw", "weights".

        Returns:
            True where it need not run.
        """
        if stage.output and not Path(stage.output.format(**places)).exists():
            return False
        if stage.name in self.done:
            return bool(self.done[stage.name]["command"] == stage.command(places)[1:])
        return stage.whole

    def add(self, stage: Stage, places: dict[str, str], seconds: float) -> None:
        """Keep that `stage` is done.

        Args:
            stage: One of the recipe's.
            places: As for holds(); with them filled in, the command is what is kept.
            seconds: How long it took.

        Raises:
            DiskError: The record cannot be written.
        """
        self.done[stage.name] = {"command": stage.command(places)[1:], "seconds": round(seconds, 1)}
        write_atomic(self.path, (json.dumps(self.done, indent=1) + "\n").encode())


def run(stage: Stage, places: dict[str, str]) -> None:
    """Run one stage. A stop of this process stops the stage, which keeps what it has.

    Args:
        stage: One of the recipe's.
        places: Folders by what stands for them in the recipe: "runs", "lfw", "weights".

    Raises:
        EndedEarly: It ended with another code than 0, which is handed on, or left no output.
    """
    with subprocess.Popen(stage.command(places)) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:  # Ctrl-C, and SIGTERM as smoothswap.cli raises it
            process.terminate()
            process.wait()
            raise
    if code:
        raise EndedEarly(code if code > 0 else 128 - code, f"stage {stage.name!r} ended with code {code}")
    if stage.output and not Path(stage.output.format(**places)).exists():
        raise EndedEarly(1, f"stage {stage.name!r} left no {stage.output.format(**places)}")


def parser() -> Parser:
    """The options of the command."""
    options = Parser("python -m smoothswap.recipe", description=__doc__, epilog=EXAMPLES)
    options.add_argument("--only", metavar="STAGE", help="this stage and those that it needs (default: all)")
    options.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs (default: runs)")
    options.add_argument(
        "--lfw",
        type=Path,
        default=Path("lfw"),
        help="folder with images_deepfunneled/Name/photo.jpg and meta/peopleDevTrain.txt (default: lfw)",
    )
    options.add_argument(
        "--weights", type=Path, default=pretrained.FOLDER, help="where weights go (default: the package's)"
    )
    options.add_argument("--recipe", type=Path, default=RECIPE, metavar="FILE", help="another recipe")
    options.add_argument("--dry-run", action="store_true", help="print the commands and run none")
    options.add_argument("--list", action="store_true", help="print the stages of each of the weights")
    return options


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    stages = read_recipe(options.recipe)
    if options.only and options.only not in stages:
        raise UsageError(f"no stage {options.only!r} in {options.recipe}.{suggestion(options.only, stages)}")
    if options.list:
        for stage in stages.values():
            if stage.weights:
                print(f"{stage.weights}: {', '.join(needed(stages, stage.name))}")
        return EXIT_OK
    places = {"runs": str(options.runs), "lfw": str(options.lfw), "weights": str(options.weights)}
    progress = Progress(options.runs)
    chosen = [stages[name] for name in (needed(stages, options.only) if options.only else stages)]
    missing = [stage for stage in chosen if not progress.holds(stage, places)]
    if not options.dry_run and any("{lfw}" in s.arguments for s in missing) and not options.lfw.is_dir():
        raise DataError(f"{options.lfw} is no folder; --lfw names Labeled Faces in the Wild, unpacked")
    for stage in chosen:
        place = f"[{chosen.index(stage) + 1}/{len(chosen)}] {stage.name}"
        if stage not in missing:
            print(f"{place}: done", file=sys.stderr)
            continue
        words = shlex.join(["python", *stage.command(places)[1:]])
        if options.dry_run:
            print(words)
            continue
        print(f"{place}: {words}", file=sys.stderr, flush=True)
        started = time.monotonic()
        run(stage, places)
        progress.add(stage, places, time.monotonic() - started)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
