"""A recogniser has a family and a name of its own, whichever loader reads its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.ffpp.plan import create_instruments
from bench.reading.instruments import create, describe
from metrics.evaluation import applicable
from metrics.instruments import InstrumentError
from tests.metrics.instruments.test_arcface import write_model
from tests.metrics.test_evaluation import two_frames


def test_family_and_name_are_the_users(tmp_path: Path) -> None:
    path = write_model(tmp_path / "glint.onnx")
    both = describe(create(f"arcface:{path}?family=cosface&name=CosFace"))
    assert (both["name"], both["family"]) == ("CosFace", "cosface")
    family = describe(create(f"arcface:{path}?family=adaface"))
    assert (family["name"], family["family"]) == ("adaface:glint", "adaface")
    name = describe(create(f"arcface:{path}?name=R100&flip=1"))
    assert (name["name"], name["family"], name["parameters"]["flip"]) == ("R100", "arcface", True)
    plain = describe(create(f"arcface:{path}"))
    assert (plain["name"], plain["family"]) == ("arcface:glint", "arcface")


@pytest.mark.parametrize(
    "given", ["family=Cos Face", "family=", "name=a@b", "name=a/b", "name=", "name=arcface:x"]
)
def test_a_name_that_cannot_stand_in_a_key_is_refused(tmp_path: Path, given: str) -> None:
    path = write_model(tmp_path / "glint.onnx")
    with pytest.raises(InstrumentError, match="expected"):
        create(f"arcface:{path}?{given}")


def test_what_takes_no_file_keeps_its_name() -> None:
    with pytest.raises(InstrumentError, match="anny has no option 'name'"):
        create("anny?name=other")


def test_two_files_of_one_name_need_names(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_model(tmp_path / folder / "model.onnx")
    one, two = (f"arcface:{tmp_path / folder / 'model.onnx'}" for folder in ("a", "b"))
    with pytest.raises(UsageError, match=r"two instruments are called 'arcface:model'.*name=NAME"):
        create_instruments([one, two])
    with pytest.raises(UsageError, match="two instruments"):
        create_instruments([f"{one}?name=Cos", f"{two}?name=cos"])
    assert [i.name for i in create_instruments([one, f"{two}?name=CosFace"])[1]] == [
        "arcface:model",
        "CosFace",
    ]


def test_the_column_arc_is_filled_by_family_and_not_by_name() -> None:
    sides = two_frames()

    def arc(name: str, family: str = "") -> bool:
        families = dict.fromkeys(sides.swap, family) if family else {}
        read = replace(sides, instruments=dict.fromkeys(sides.swap, name), families=families)
        return "arc" in applicable(read)

    assert arc("arcface:w600k_r50")
    assert arc("R100", "arcface")
    assert not arc("CosFace", "cosface")
    assert not arc("arcface:misnamed", "cosface")
