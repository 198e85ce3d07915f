"""InsightFace's model packs by name ("buffalo_l"): where the recogniser's ONNX file of a pack lies.

A pack is a folder of ONNX files in ~/.insightface/models/NAME. One that is not there yet is fetched by the insightface
package, if that is installed: it is optional, and installed without its dependencies, since they bring another OpenCV.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any

from metrics.instruments.base import InstrumentError

# The recogniser of each pack, as insightface/python-package's README lists them.
RECOGNISERS = {
    "buffalo_l": "w600k_r50.onnx",
    "buffalo_m": "w600k_r50.onnx",
    "buffalo_s": "w600k_mbf.onnx",
    "buffalo_sc": "w600k_mbf.onnx",
    "antelopev2": "glintr100.onnx",
}
LICENCE = "InsightFace model packs: research that is not commercial"
INSTALL = "pip install 'smoothswap-bench[insightface]' && pip install --no-deps 'insightface>=2,<3'"
"""The line that brings insightface beside the OpenCV that is here."""


def is_pack(text: str) -> bool:
    """True for what can be a pack's name rather than a file's: one word without a suffix."""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{1,40}", text) is not None


def recogniser(name: str, root: Path | None = None) -> Path:
    """The path of the recogniser of a pack.

    Args:
        name: Of the pack.
        root: Folder to look in instead of ~/.insightface.

    Returns:
        Its ONNX file.

    Raises:
        InstrumentError: When it is not to be had.
    """
    root = Path("~/.insightface").expanduser() if root is None else root
    folder = root / "models" / name
    if not folder.is_dir():
        folder = _fetch(name, root, folder)
    path = folder / RECOGNISERS.get(name, "")
    if path.is_file():
        return path
    files = sorted(folder.rglob("*.onnx"))
    known = [file for file in files if file.name in RECOGNISERS.values()]
    if len(known) == 1:
        return known[0]
    raise InstrumentError(
        f"arcface: the pack {name!r} in {folder} has {len(known)} recognisers that are known by name; its files are "
        f"{', '.join(file.name for file in files) or 'none'}: give the right one by path, arcface:PATH"
    )


def _fetch(name: str, root: Path, folder: Path) -> Path:
    hint = (
        f"arcface:PATH takes an ONNX file; {name!r} is neither a file nor a pack in {folder}. "
        f"Packs ({', '.join(RECOGNISERS)}; research that is not commercial) are listed in the README of "
        "deepinsight/insightface, python-package: unpack one there"
    )
    if name not in RECOGNISERS or importlib.util.find_spec("insightface") is None:
        more = "" if name not in RECOGNISERS else f", or let insightface fetch it: {INSTALL}"
        raise InstrumentError(hint + more)
    try:
        storage: Any = importlib.import_module("insightface.utils.storage")
        return Path(storage.ensure_available("models", name, root=str(root)))
    except Exception as error:  # noqa: BLE001  # whatever the network, the disk or the package raises
        text = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise InstrumentError(f"{hint} (insightface could not fetch it: {text})") from None
