"""smoothswap-bench: every command under one name, each imported only when it is asked for."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from bench.console import COMMANDS, main
from tests.support import ROOT
from tests.test_commands import commands

APART = {  # tools of the project's own files, started as modules alone
    "bench",
    "bench.pages",
    "bench.finished.study",
    "bench.validity.gaze",
    "bench.validity.openings",
    "bench.make_anny.basis",
    "bench.make_anny.regressor",
    "bench.detection",
    "smoothswap.faces.convert_landmarks",
    "smoothswap.rendered.answers",
    "smoothswap.rendered.dataset",
    "smoothswap.rendered.extract",
    "smoothswap.rendered.landmarks",
    "smoothswap.rendered.world4.phenotypes",
    "smoothswap.rendered.world4.probes",
    "metrics.docs",
}


def test_every_command_has_its_name() -> None:
    assert {module.removesuffix(".__main__") for module, _ in COMMANDS.values()} == set(commands()) - APART


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_comes_from_its_module(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    module = COMMANDS[name][0].removesuffix(".__main__")
    assert f"python -m {module}" in capsys.readouterr().out
    assert callable(importlib.import_module(COMMANDS[name][0]).main)


def test_the_list_of_commands_needs_no_torch() -> None:
    program = (
        "import sys; from bench.console import main; code = main(['--help']); "
        "print([m for m in ('torch', 'numpy', 'cv2', 'metrics') if m in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_a_misspelt_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embeders"]) == 2
    assert capsys.readouterr().err.startswith("error: no command 'embeders'. Did you mean 'embedders'?")
    assert main([]) == 2
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("smoothswap-bench ")


def test_exit_codes_come_through(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["list", "--modle"])
    assert main(["recipe", "--only", "recognizer"]) == 2
