"""The front door keeps to a page, and the numbers in its sentences are those of the results."""

from __future__ import annotations

import json
from typing import Any

from tests.support.pages import README, ROOT, links

TEXT = README.read_text(encoding="utf-8")
PROSE = " ".join(TEXT.split())


def figure(run: str, model: str, metric: str) -> dict[str, Any]:
    results = json.loads((ROOT / "results" / run / model / "results.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = results["metrics"][metric]
    return found


def percent(run: str, model: str, metric: str) -> str:
    return f"{figure(run, model, metric)['value']:.0f}"


def test_the_readme_is_a_page() -> None:
    assert len(TEXT.splitlines()) <= 150
    assert len(TEXT.encode()) <= 9_000
    assert sum(link.endswith((".png", ".jpg")) for link in links(README)) == 1


def test_what_the_model_cannot_do_is_what_was_measured() -> None:
    """By dlib: identity of the committed weights and of the classical warp, rendered people and photographs."""
    ours = (
        percent("ffpp-rendered", "smoothswap", "id_retrieval"),
        percent("ffpp-lfw", "smoothswap", "id_retrieval@dlib"),
    )
    warp = (
        percent("ffpp-rendered", "classical", "id_retrieval"),
        percent("ffpp-lfw", "classical", "id_retrieval@dlib"),
    )
    people = figure("ffpp-lfw", "smoothswap", "id_retrieval@dlib")["gallery"]
    assert (
        f"dlib finds the source in {ours[0]} % of the frames, on photographs of {people} people in {ours[1]} %"
        in PROSE
    )
    assert f"reaches {warp[0]} and {warp[1]} %" in PROSE
