"""Files inside installed packages: located, and the package is never imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def file_in(package: str, *parts: str) -> Path | None:
    """Where a file of an installed package lies.

    Args:
        package: Its name, as it would be imported.
        parts: The way to the file from its folder.

    Returns:
        The path; None where the package, or the file in it, is missing.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder).joinpath(*parts)
        if path.is_file():
            return path
    return None
