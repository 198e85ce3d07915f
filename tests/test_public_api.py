"""No public name goes without being noticed."""

from __future__ import annotations

from pathlib import Path

from tests.public_api import LIST, inventory, public_names


def test_no_public_name_was_removed() -> None:
    gone = sorted(set(LIST.read_text(encoding="utf-8").split()) - set(inventory()))
    assert not gone, (
        f"removed from the public names: {', '.join(gone)}. Put them back, or, if that is meant, run "
        "python -m tests.public_api and say it in CHANGELOG.md"
    )


def test_every_public_name_is_listed() -> None:
    new = sorted(set(inventory()) - set(LIST.read_text(encoding="utf-8").split()))
    assert not new, f"new public names: {', '.join(new[:20])}. Run python -m tests.public_api to list them"


def test_what_counts_as_public(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from x import y, z\n__all__ = ['y']\nLIMIT: int = 3\n_own = 1\n"
        "def read(): ...\ndef _hidden(): ...\n"
        "class Reader:\n    def open(self): ...\n    def _close(self): ...\nclass _Inner:\n    def open(self): ...\n"
    )
    assert public_names(path) == ["y", "LIMIT", "read", "Reader", "Reader.open"]
