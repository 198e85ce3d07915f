"""docs/cheats.md: every cheat has the test that holds what is said of it."""

from __future__ import annotations

import ast
import re

from tests.support import ROOT


def test_every_cheat_names_a_test_that_is_there() -> None:
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in (ROOT / "docs" / "cheats.md").read_text().splitlines()
        if re.match(r"\| \d", line)
    ]
    assert len(rows) >= 25
    assert [row[0] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
    for row in rows:
        assert len(row) == 5, row[1]
        path, _, name = row[4].strip("`").partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, row[4]
