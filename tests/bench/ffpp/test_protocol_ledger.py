"""The protocol's hash, and the ledger's promise: expected = ok + failed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from bench.ffpp.ledger import Ledger, Row
from bench.ffpp.protocol import Protocol
from bench.reading.reader import STATUSES

OTHER = {
    "mode": "self",
    "sequences": "actors",
    "compression": "c40",
    "split": "all",
    "limit": 3,
    "frames": 9,
    "video": 8,
    "source_rule": "matched",
    "faces_rule": "largest",
    "missing": "exclude",
    "gallery": "without_source_frame",
    "gallery_size": 5,
    "missing_clips": "ledger",
    "identity_map": {"343": "043"},
    "seed": 1,
}
FIXED = {"version", "frame_rule", "swap_face_rule", "interval", "other_photo", "between"}


def test_every_rule_is_in_the_hash() -> None:
    assert set(OTHER) | FIXED == set(Protocol.model_fields)
    hashes = {Protocol().hash} | {Protocol.model_validate({key: value}).hash for key, value in OTHER.items()}
    assert len(hashes) == len(OTHER) + 1


def test_the_hash_is_of_values_not_of_how_they_were_given() -> None:
    assert Protocol(compression="c0").hash == Protocol(compression="raw").hash  # type: ignore[arg-type]
    ab = Protocol(identity_map={"1": "3", "2": "3"})
    assert ab.hash == Protocol(identity_map={"2": "3", "1": "3"}).hash
    assert Protocol.model_validate_json(ab.model_dump_json()).hash == ab.hash


def test_a_protocol_cannot_be_changed_or_misspelt() -> None:
    with pytest.raises(ValidationError):
        Protocol().frames = 3  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Protocol.model_validate({"frmes": 3})


ROW = Row("m", "m", "c23", "000_001", "000", "001", "000+001", 0, 0, 0, "ok")


def test_expected_is_ok_plus_failed() -> None:
    rows = [ROW] + [
        replace(ROW, position=i + 1, status=status, reason="why")  # type: ignore[arg-type]
        for i, status in enumerate(s for s in STATUSES * 3 if s != "ok")
    ]
    ledger = Ledger(rows)
    assert ledger.expected == 16
    assert ledger.failed == {
        "no_face": 3,
        "many_faces": 3,
        "decode_error": 3,
        "model_error": 3,
        "not_available": 3,
    }
    assert ledger.expected == ledger.ok + sum(ledger.failed.values())


def test_a_frame_has_one_row_and_a_failure_a_reason() -> None:
    with pytest.raises(ValueError, match="two ledger rows"):
        Ledger([ROW, replace(ROW, status="no_face", reason="why")])
    # The same clip name under another manipulation or compression is another clip.
    assert (
        Ledger([ROW, replace(ROW, manipulation="Deepfakes"), replace(ROW, compression="c40")]).expected == 3
    )
    with pytest.raises(ValueError, match="needs a reason"):
        replace(ROW, status="no_face")
    with pytest.raises(ValueError, match="needs a reason"):
        replace(ROW, reason="why")
    with pytest.raises(ValueError, match="unknown ledger status"):
        replace(ROW, status="lost", reason="why")  # type: ignore[arg-type]
