"""The identity map that ships: every entry has a source, and it is laid over FaceForensics++ alone."""

from __future__ import annotations

from bench.data.pairs import Pair
from bench.data.people import map_for, record, shipped_map


def pair(target: str, source: str) -> Pair:
    return Pair(f"{target}_{source}", target, source, target, source)


def test_every_entry_has_a_source_and_no_clip_two_people() -> None:
    found = record()
    assert found["complete"] is False
    for person in found["people"]:
        assert len(person["clips"]) > 1
        assert "github.com/" in person["source"]
        assert "CVPR" in person["source"]
    clips = [clip for person in found["people"] for clip in person["clips"]]
    assert len(clips) == len(set(clips)) == 5
    assert set(found["partners"]) == set(clips)
    assert shipped_map() == {"343": "043", "183": "179", "826": "179"}


def test_it_is_laid_over_faceforensics_alone() -> None:
    official = [pair("043", "110"), pair("110", "043"), pair("826", "833"), pair("953", "974")]
    assert map_for(official) == shipped_map()
    # the same numbers in a folder of photographs, whose pairs are others
    assert map_for([pair("043", "044"), pair("044", "043"), pair("342", "343")]) == {}
    assert map_for([*official, pair("343", "344")]) == {}
    assert map_for([pair("953", "974")]) == {}
