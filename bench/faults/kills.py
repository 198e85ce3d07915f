"""Kills at any point of what replaces a run: afterwards its readers see the old one or the new one, or refuse it.

A process is killed by itself at its n-th step that makes, opens for writing, moves or removes something beside the run or
in it, so that every n is one point, and a seed draws one of them again.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from reports.files import RESULTS, model_folders
from reports.results import ResultsError, load
from reports.together import refuse_mixtures

Seen = Literal["nothing", "whole", "part", "refused", "mixture"]

# Runs a program's words after it has set its own death: the number of the step, the folder that is watched.
_KILLED = """
import os, sys
left, watched = int(sys.argv[1]), sys.argv[2]
def meet(event, arguments):
    global left
    if event == "open":
        there = len(arguments) > 2 and bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    else:
        there = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate", "ctypes.dlsym")
    if there and (event == "ctypes.dlsym" or str(arguments[0]).startswith(watched)):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
sys.addaudithook(meet)
sys.argv = sys.argv[3:]
"""
_COPY = """
import shutil, sys
from pathlib import Path
from smoothswap.plumbing.folders import NewFolder
new, run = map(Path, sys.argv)
with NewFolder(run) as folder:
    shutil.copytree(new, folder.path, dirs_exist_ok=True)
    folder.put(None, [path.name for path in run.iterdir()], ["results.json", "report.html"])
"""
_MODULE = """
import runpy
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class KillFault:
    """One way to replace a run.

    Args:
        name: Of the kind.
        program: What is done, in Python.
        words: Its arguments, of the run's folder and that of a newer run.
        steps: About how many steps it has; a later number lets it end.
        within: Whether it is done from within the run's folder, which then cannot be exchanged.
        allowed: What readers may make of the run afterwards.
    """

    name: str
    program: str
    words: Callable[[Path, Path], Sequence[str]]
    steps: int
    within: bool = False
    allowed: tuple[Seen, ...] = ("whole",)

    def inject(self, run: Path, new: Path, seed: int) -> bool:
        """Replace a run and be killed.

        Args:
            run: The folder of the older run.
            new: That of the newer.
            seed: Draws the step.

        Returns:
            Whether it was killed, and had not ended before.

        Raises:
            RuntimeError: It ended otherwise, with what it said.
        """
        random = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        step = int(random.integers(1, self.steps + 1))
        run, new = run.resolve(), new.resolve()
        paths = "import sys; sys.path[:0] = " + repr([str(Path(__file__).resolve().parents[2])])
        words = [str(step), str(run.parent), *self.words(run, new)]
        done = subprocess.run(
            [sys.executable, "-c", paths + _KILLED + self.program, *words],
            cwd=run if self.within else run.parent,
            capture_output=True,
            check=False,
        )
        if done.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"{self.name}, step {step}: {done.stderr.decode(errors='replace')[-500:]}")
        return done.returncode != 0


def _scored(new: Path) -> list[str]:
    models = [
        word
        for model in sorted(path.name for path in new.iterdir() if path.is_dir())
        for word in ("--model", model)
    ]
    quick = [
        "--frames",
        "2",
        "--instruments",
        "sface",
        "--workers",
        "0",
        "--device",
        "cpu",
        "--no-references",
    ]
    return ["bench.ffpp", "--data", str(new.parent / "tree"), *quick, *models]


def seen(run: Path, models: Sequence[str]) -> Seen:
    """What a reader makes of a run's folder.

    Args:
        run: The folder.
        models: The names of the models that belong there.

    Returns:
        "whole": all of them, of one run; "refused": the reader says that they are not; "mixture": he takes models of two.
    """
    try:
        folders = model_folders(run)
        refuse_mixtures(folders)
        read = [load(folder / RESULTS).run for folder in folders]
    except ResultsError:
        return "refused"
    if not folders:
        return "nothing"
    if len({(one.started, one.rescored) for one in read}) > 1:
        return "mixture"
    return "whole" if {folder.name for folder in folders} == set(models) else "part"


FAULTS = (
    KillFault("a run is exchanged", _COPY, lambda run, new: [str(new), str(run)], 20),
    KillFault(
        "a run is replaced file by file", _COPY, lambda run, new: [str(new), str(run)], 45, True,
        ("whole", "refused", "nothing"),
    ),
    KillFault("a run is rescored", _MODULE, lambda run, new: ["bench.rescore", str(run)], 60),
    KillFault("a newer run of bench.ffpp replaces one", _MODULE, lambda run, new: [*_scored(new), "--out", str(run)], 60),
)  # fmt: skip
"""Every kind; the last two take seconds each, and the last needs the tree beside the newer run."""
