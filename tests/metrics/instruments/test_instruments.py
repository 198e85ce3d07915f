"""The registry of instruments, and what the layer may import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from metrics.instruments import InstrumentError, available, create
from metrics.instruments.base import file_sha256
from metrics.sides import READINGS


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dlb", "did you mean 'dlib'"),
        ("ArcFace:x.onnx", "did you mean 'arcface'"),
        ("", "known: dlib, sface, arcface"),
        ("???", "known: dlib, sface, arcface"),
        ("zzzzzz", "known: dlib, sface, arcface"),
    ],
)
def test_unknown_instruments_are_refused_with_a_hint(spec: str, message: str) -> None:
    with pytest.raises(InstrumentError, match=message):
        create(spec)


def test_the_list_tells_what_each_reads_and_needs() -> None:
    listed = {item.name: item for item in available()}
    assert listed["dlib"].needs is None
    assert "arcface:PATH" in (listed["arcface"].needs or "")
    for item in listed.values():
        assert set(item.reads) <= set(READINGS)
        assert item.description


def test_listing_loads_no_network_library_and_metrics_knows_no_other_layer() -> None:
    code = (
        "import sys, metrics, metrics.instruments as i; i.available(); "
        "assert not {'dlib', 'onnxruntime', 'anny'} & set(sys.modules); "
        "import metrics.instruments.dlib, metrics.instruments.arcface; "
        "assert not {'torch', 'av', 'bench', 'reports'} & set(sys.modules); "
        "known = {m.split('.')[1] for m in sys.modules if m.startswith('smoothswap.')}; "
        "assert known <= {'plumbing'}, known"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_changed_file_gets_a_new_hash(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = file_sha256(path)
    assert file_sha256(path) == first
    path.write_bytes(b"other")
    assert file_sha256(path) != first
