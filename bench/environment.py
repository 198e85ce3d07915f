"""What a command ran on: system, processor count and package versions; nothing that names the machine."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib import metadata
from typing import Any

from smoothswap.workers import cores

PACKAGES = (
    "torch",
    "onnxruntime",
    "dlib-bin",
    "opencv-python-headless",
    "av",
    "numpy",
    "scipy",
    "anny",
    "pillow",
)


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str], ...]:
    found = []
    for package in PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def environment(device: str, workers: int) -> dict[str, Any]:
    """The "environment" of a result: versions of python, the system and the packages that make the numbers.

    Args:
        device: Where the networks ran, as torch names it: "cpu", "cuda".
        workers: How many processes did the work.

    Returns:
        python, system, cores (those that this process may use), device, workers, and packages: name ->
        version of those of PACKAGES that are installed.
    """
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores(),
        "device": device,
        "workers": workers,
        "packages": dict(_versions()),
    }
