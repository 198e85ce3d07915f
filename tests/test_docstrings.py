"""Every public function of two or more arguments says what each of them is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.public_api import PACKAGES, ROOT

# Kernels of warp: it compiles their source, and they are called by other kernels only.
KERNELS = {"wp.func", "wp.kernel"}


def public_functions(body: list[ast.stmt], path: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            yield from public_functions(node.body, f"{path}{node.name}.")
        elif not KERNELS & {ast.unparse(decorator) for decorator in node.decorator_list}:
            yield path + node.name, node


def without_sections(source: str) -> list[str]:
    """Public functions of two or more arguments whose docstring has no `Args:`; ruff's D417 holds it complete."""
    found = []
    for name, function in public_functions(ast.parse(source).body):
        arguments = [
            a.arg for a in function.args.args + function.args.kwonlyargs if a.arg not in ("self", "cls")
        ]
        if len(arguments) >= 2 and "Args:" not in (ast.get_docstring(function) or ""):
            found.append(f"{name}({', '.join(arguments)})")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_public_functions_name_their_arguments(package: str) -> None:
    missing = {
        str(path.relative_to(ROOT)): found
        for path in sorted((ROOT / package).rglob("*.py"))
        if (found := without_sections(path.read_text(encoding="utf-8")))
    }
    assert not missing, (
        "write Args: with shapes, units and ranges (metrics/statistics/intervals.py has the form)"
    )


def test_a_function_without_sections_is_found() -> None:
    source = '''
class A:
    def one(self, a): "One."
    def two(self, a, *, b): "Two."
    def _two(self, a, b): "Private."
@wp.func
def kernel(a, b): "Warp."
def said(a, b):
    """Three.

    Args:
        a: First.
        b: Second.
    """
'''
    assert without_sections(source) == ["A.two(a, b)"]
