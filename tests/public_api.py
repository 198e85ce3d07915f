"""The public names of the packages, as tests/public_api.txt keeps them.

python -m tests.public_api        write the list anew, after a change that was meant
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix(".txt")
PACKAGES = ("bench", "smoothswap", "metrics", "reports")


def public_names(path: Path) -> list[str]:
    """Functions, classes (with their public methods) and constants defined in a module, and what its __all__ offers."""
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = [n.name for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            names += [node.name, *(f"{node.name}.{n}" for n in methods if not node.name.startswith("_"))]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                names += ast.literal_eval(node.value) if node.value else []
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


def inventory() -> list[str]:
    """module.name of everything public, sorted."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = ".".join(part for part in parts if part != "__init__")
            found |= {f"{module}.{name}" for name in public_names(path)}
    return sorted(found)


if __name__ == "__main__":
    LIST.write_text("\n".join(inventory()) + "\n", encoding="utf-8")
