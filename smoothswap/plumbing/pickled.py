"""Pickled weights as data: torch.save's files, old and new, and pickled numpy arrays, without pickle's objects.

Nothing that a file names is imported, and neither torch nor numpy builds anything from a state that a file gives. What
stands for dtypes, arrays, storages and tensors is small and our own: dtypes are known by name, and every length is held
against the bytes that are there. Other objects (a trainer keeps its callbacks beside the weights) become holes, of which
nothing can be asked. Pure Python's unpickler, since C's allots memory by numbers that a file gives.

Needs the standard library alone, so that a process for one file (smoothswap.plumbing.apart) begins in a moment.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smoothswap.plumbing.packed import SIZES, PickledError, packed
from smoothswap.plumbing.unpickler import Array, Reader

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_TIMES, _SPARE = 8, 1 << 30  # memory, in bytes of the file, and besides
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def read_pickled(data: bytes) -> Any:
    """What a file of pickled weights holds.

    Args:
        data: Its bytes.

    Returns:
        Plain containers, numbers and texts, and Values.

    Raises:
        PickledError: For another file, a damaged or a forged one, and one that names what is neither tensor nor array
            where weights should be.
    """
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            return _checked(*_zipped(data))
        return _checked(*(_legacy(data) if _is_legacy(data) else _arrays(data)))
    except PickledError:
        raise
    # Whatever else a forged file makes an unpickler stumble over.
    except (Exception, RecursionError) as error:
        raise PickledError((str(error).splitlines() or [""])[0][:160] or type(error).__name__) from error


def main() -> int:
    """In a process of its own: the file that the last word names, packed, to standard output. Returns the exit code.

    The word before says how many seconds that may take.
    """
    try:
        _limit(Path(sys.argv[-1]).stat().st_size, int(sys.argv[-2]))
        with open(sys.argv[-1], "rb") as file:
            data = file.read()
        sys.stdout.buffer.write(packed(read_pickled(data)))
        sys.stdout.buffer.flush()
    except (PickledError, OSError, MemoryError) as error:
        said = str(error) or type(error).__name__
        sys.stderr.buffer.write(said.encode("utf-8", "backslashreplace"))
        return 3
    return 0


def _limit(size: int, seconds: int) -> None:
    """This process may neither write files nor take what no reading takes."""
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = {resource.RLIMIT_CPU: seconds, resource.RLIMIT_AS: _TIMES * size + _SPARE}
    for kind, limit in most.items():
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))


def _checked(content: Any, reader: Reader) -> Any:
    """The content, arrays filled in, if what the file names beside tensors stands beside the weights and not for them."""
    content = _filled(content)
    # Trainers keep their own objects beside "state_dict"; a file without it is not theirs.
    theirs = reader.torch and isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping)
    if reader.strangers and not theirs:
        what = "tensor" if reader.torch else "array"
        raise PickledError(f"it names {reader.strangers[0]}, which is no {what}")
    return content


def _filled(content: Any) -> Any:
    """The content, arrays in the place of what stood for them, dictionaries as plain ones."""
    if isinstance(content, Array):
        return content.values()
    return {key: _filled(value) for key, value in content.items()} if isinstance(content, dict) else content


# ---- the three forms of a file ----
def _zipped(data: bytes) -> tuple[Any, Reader]:
    """torch.save's since 1.6: an archive with data.pkl and a file for each storage."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        if "data.pkl" not in names:
            raise PickledError("an archive without data.pkl")
        if "byteorder" in names and _few_bytes(archive, names["byteorder"]) != b"little":
            raise PickledError("written on a machine of another byte order")
        left = len(data)

        def record(key: str) -> bytes:
            nonlocal left
            name = names.get(f"data/{key}")
            if name is None:
                raise PickledError(f"the storage {key!r} is not in the archive")
            about = archive.getinfo(name)
            left -= about.file_size
            # torch.save packs nothing, so that all parts together are no longer than the file.
            if about.compress_type != zipfile.ZIP_STORED or left < 0:
                raise PickledError(f"the storage {key!r} is packed, or longer than the archive")
            return archive.read(name)

        about = archive.getinfo(names["data.pkl"])
        if about.file_size > len(data):
            raise PickledError("data.pkl is longer than the archive")
        reader = Reader(archive.read(about), record, len(data))
        return reader.load(), reader


def _few_bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a small part of an archive, b"" of a large one."""
    return archive.read(name) if archive.getinfo(name).file_size < 100 else b""


def _is_legacy(data: bytes) -> bool:
    try:
        return bool(Reader(data[:64]).load() == _LEGACY_MAGIC)
    except Exception:  # noqa: BLE001  # a pickle of something else, or none
        return False


def _legacy(data: bytes) -> tuple[Any, Reader]:
    """torch.save's before 1.6: five pickles, then the storages one after another."""
    file = io.BytesIO(data)
    _, protocol, system = (Reader(file).load() for _ in range(3))
    if protocol != 1001 or not isinstance(system, dict) or not system.get("little_endian", True):
        raise PickledError("of another protocol, or written on a machine of another byte order")
    # Where the storages lie is known only behind what names them: read twice, the first time with none.
    start = file.tell()
    first = Reader(file, None)
    first.load()
    keys = Reader(file).load()
    if not isinstance(keys, list):
        raise PickledError("no list of storages")
    parts: dict[str, bytes] = {}
    for key in keys:
        kind, numel = first.storages.get(str(key), (None, 0))
        (said,) = struct.unpack("<q", file.read(8))
        if kind is None or said != numel:
            raise PickledError(f"the storage {str(key)[:20]!r} has another length than its tensors say")
        parts[str(key)] = file.read(numel * SIZES[kind])
    file.seek(start)
    reader = Reader(file, parts.__getitem__, len(data))
    return reader.load(), reader


def _arrays(data: bytes) -> tuple[Any, Reader]:
    """A pickled dictionary of numpy arrays, as VGGFace2's converted models are."""
    reader = Reader(data)
    content = reader.load()
    if not isinstance(content, Mapping):
        raise PickledError(f"it holds {type(content).__name__}, no arrays by name")
    return content, reader
