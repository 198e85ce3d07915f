"""Protocols by name: what they stand for, what they refuse, and who bears the name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.data.people import shipped_map
from bench.errors import DataError, UsageError
from bench.ffpp.__main__ import main
from bench.ffpp.options import parser
from bench.ffpp.plan import prepare, protocol_of
from bench.ffpp.presets import CLIPS, PRESETS, applied, check, name_of
from bench.ffpp.protocol import Protocol
from bench.verify.retrieval import rules_that_differ

DATA = ["--data", "/data/FaceForensics++"]


def protocol(*options: str) -> Protocol:
    return protocol_of(applied(parser().parse_args([*DATA, *options])))


def test_the_fields_protocol_by_name_is_its_options_one_by_one() -> None:
    named = protocol("--protocol", "ff++")
    assert named == protocol("--split", "all")
    assert (named.split, named.frames, named.compression, named.gallery) == ("all", 10, "c23", "all")
    assert named.limit is named.gallery_size is None
    assert protocol("--protocol", "ff++-test") == protocol() == Protocol()
    assert name_of(named, "ffpp", 1000) == "ff++"
    assert name_of(named, "ffpp", 999) is None
    assert name_of(named, "celebahq", 1000) is None


@pytest.mark.parametrize(
    "other",
    [
        "--sequences actors",
        "--compression c40",
        "--split test",
        "--limit 20",
        "--frames 5",
        "--source-rule matched",
        "--faces-rule single",
        "--missing exclude",
        "--gallery without_source_frame",
        "--gallery-size 100",
        "--skip-missing",
    ],
)
def test_another_value_beside_a_name_is_refused_and_takes_the_name_away(other: str) -> None:
    with pytest.raises(UsageError, match=rf"--protocol ff\+\+ .*leave {other} away"):
        protocol("--protocol", "ff++", *other.split())
    if "actors" in other:
        return
    differs = protocol(*([] if "--split" in other else ["--split", "all"]), *other.split())
    assert name_of(differs, "ffpp", 1000) is None
    # the verifier knows the rules on its own
    stated = {"gallery_size": None, **differs.model_dump(mode="json")}
    assert len(list(rules_that_differ("ff++", stated, 1000))) == 1


def test_what_is_left_to_the_user_keeps_the_name_and_the_same_value_is_no_conflict() -> None:
    free = protocol(
        "--protocol", "ff++", "--seed", "3", "--video", "16", "--identity-map", "none", "--frames", "10"
    )
    assert name_of(free, "ffpp", 1000) == "ff++"
    assert free.identity_map == {}
    for name, rules in PRESETS.items():
        stated = Protocol.model_validate(rules).model_dump(mode="json") | {"gallery_size": None}
        assert not list(rules_that_differ(name, stated, CLIPS[name]))
    assert list(rules_that_differ("ff++", stated, 140))  # the last is the test split's


def test_a_name_is_of_the_whole_data(tmp_path: Path) -> None:
    check("ff++", 1000, tmp_path)
    check(None, 3, tmp_path)
    with pytest.raises(DataError, match=r"1,000 swaps, the splits of .* hold 998"):
        check("ff++", 998, tmp_path)
    with pytest.raises(UsageError, match="give its root with --data"):
        applied(parser().parse_args(["--protocol", "ff++"]))
    assert main(["--protocol", "ff++", "--dry-run"]) == 2


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """FaceForensics++ of which only the splits were downloaded: 500 pairs, those of the identity map as they are."""
    (tmp_path / "original_sequences" / "youtube" / "c23" / "videos").mkdir(parents=True)
    (tmp_path / "splits").mkdir()
    known = [["043", "110"], ["343", "363"], ["179", "212"], ["253", "183"], ["833", "826"]]
    used = {clip for pair in known for clip in pair}
    left = [f"{i:03d}" for i in range(1000) if f"{i:03d}" not in used]
    pairs: list[Any] = known + [left[i : i + 2] for i in range(0, len(left), 2)]
    for name, part in (("train", pairs[:360]), ("val", pairs[360:430]), ("test", pairs[430:])):
        (tmp_path / "splits" / f"{name}.json").write_text(json.dumps(part))
    return tmp_path


def test_the_fields_run_is_planned_with_the_map_that_ships(
    tree: Path, colours: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(tree), "--model", "copy-source", "--instruments", colours]
    plan = prepare(parser().parse_args([*options, "--protocol", "ff++"]))
    people = {pair.target_person for pair in plan.pairs}
    assert (len(plan.pairs), len(people)) == (1000, 997)
    assert plan.protocol.identity_map == shipped_map()
    assert plan.dataset.person("826") == plan.dataset.person("183") == "179"
    bare = prepare(parser().parse_args([*options, "--protocol", "ff++", "--identity-map", "none"]))
    assert len({pair.target_person for pair in bare.pairs}) == 1000
    assert bare.protocol.hash != plan.protocol.hash
    assert main([*options, "--protocol", "ff++", "--dry-run"]) == 3  # no clip is there
    said = capsys.readouterr().out
    assert "protocol     ff++: youtube, c23, split all" in said
    assert "gallery      997 of 997 people" in said
    with pytest.raises(UsageError, match="--gallery-size 998 is more than the 997 people"):
        prepare(parser().parse_args([*options, "--split", "all", "--gallery-size", "998"]))
