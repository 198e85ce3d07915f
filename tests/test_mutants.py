"""Every hand-made mutant still fits the source; `python tests/mutants.py` runs them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ROOT


@pytest.fixture(scope="module")
def mutants() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tests" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_mutant_changes_one_line_of_the_source_and_names_its_tests(mutants: ModuleType) -> None:
    assert len(mutants.MUTANTS) >= 30
    assert len({m.name for m in mutants.MUTANTS}) == len(mutants.MUTANTS)
    for mutant in mutants.MUTANTS:
        text = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, mutant.name
        changed = text.replace(mutant.old, mutant.new)
        assert changed != text, mutant.name
        compile(changed, mutant.file, "exec")  # wrong, but Python
        assert mutant.tests, mutant.name
        for test in mutant.tests:
            assert (ROOT / test.partition("::")[0]).is_file(), mutant.name


def test_a_mutant_that_no_longer_fits_is_refused(mutants: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    with pytest.raises(ValueError, match="stands 2 times in a\\.py"):
        mutants.apply(mutants.Mutant("twice", "a.py", "x = 1", "x = 2", ()), tmp_path)
    mutants.apply(mutants.Mutant("once", "a.py", "x = 1\nx", "x = 1\ny", ()), tmp_path)
    assert (tmp_path / "a.py").read_text() == "x = 1\ny = 1\n"
