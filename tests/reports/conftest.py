"""A small run of five models, with pictures."""

from __future__ import annotations

import pytest

from reports.pictures.store import CASES, Picture
from reports.results import Results
from reports.table import Failure, RunFiles
from tests.support.report_builders import MODELS, content, picture


@pytest.fixture
def runs() -> list[RunFiles]:
    failures = [
        Failure("003_000", 40, "no_face", "no face found in the swapped frame"),
        Failure("003_000", 53, "no_face", "no face found in the swapped frame"),
        Failure("017_016", 0, "no_face", "no face found in the swapped frame"),
        Failure("021_020", 9, "decode_error", "frame 9 of 10 could not be decoded: invalid data"),
    ]
    order = ["smoothswap", "classical", "copy-target", "copy-source", "oracle"]
    return [
        RunFiles(Results.model_validate(content(m)), failures if m == "smoothswap" else (), m) for m in order
    ]


@pytest.fixture
def cases() -> list[Picture]:
    return [
        picture(model, case, 10 * i + j) for i, model in enumerate(MODELS) for j, case in enumerate(CASES)
    ]
