"""The page's first screen: at most ten columns, all others one fold away, and all models on the same frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metrics.registry import ours
from metrics.spec import EmbedderMetric
from reports.headline import MOST, headline
from reports.html import render
from reports.pictures import store
from reports.pictures.side_by_side import side_by_side
from reports.pictures.store import Picture
from reports.results import Results
from reports.table import Failure, RunFiles, build
from tests.support import ROOT
from tests.support.browser import Browser, program
from tests.support.report_builders import MODELS, content, face, picture

RULE = "drawn by lot with seed 0 from the 12 frames"


class Tables(HTMLParser):
    """Every table of a page: the headings of its last heading row, and the names that its rows begin with."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.heads: list[list[str]] = []
        self._in: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.heads.append([])
        if tag in ("thead", "th"):
            self._in.append(tag)
        if tag == "tr" and self._in == ["thead"]:
            self.heads[-1].clear()
        if tag == "th" and self._in == ["thead", "th"]:
            self.heads[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("thead", "th"):
            self._in.remove(tag)

    def handle_data(self, data: str) -> None:
        if self._in == ["thead", "th"]:
            self.heads[-1][-1] += " ".join(data.split())


def made(model: str = "mine", **metrics: dict[str, Any]) -> RunFiles:
    """A model whose metrics are those of the builders and these, over what the builders say."""
    given = content(model)
    base = given["metrics"]["identity"]
    for key, change in metrics.items():
        name = key.replace("__", "@")
        given["metrics"][name] = {**given["metrics"].get(name, base), **change}
    return RunFiles(Results.model_validate(given), (), model)


def drawn(model: str, seed: int, **changes: Any) -> Picture:
    return replace(
        picture(model, "random", seed, scope="lot", metric_text=RULE, **changes), swap=face(seed + len(model))
    )


def keys(*runs: RunFiles) -> list[str]:
    return [column.key for column in headline(build(runs))]


def test_the_headline_holds_distances_the_target_and_never_a_share(runs: list[RunFiles]) -> None:
    target = {"value": 3.0, "ci95": [1.0, 5.0], "unit": "%", "higher_is_better": False}
    found = keys(made(target_retrieval=target), *runs)
    assert found == [
        *("id_retrieval", "identity", "shape", "target_retrieval", "expression", "pose", "truth_pixel")
    ]
    declared = [spec.key for spec in ours().values() if spec.headline]
    assert declared == [*found[:-1], "fid", "truth_pixel"]
    assert all(ours()[key].ranked and not isinstance(ours()[key], EmbedderMetric) for key in declared)
    assert len(declared) == MOST - 2


def test_a_new_metric_falls_into_the_fold_unless_it_asks() -> None:
    run = made(
        glow={"label": "Glow", "group": "Light", "order": 1},
        shine={"label": "Shine", "group": "Light", "order": 2, "headline": True},
        gleam={"label": "Gleam", "group": "Light", "order": 3, "headline": True, "unranked": "of no use"},
    )
    assert [key for key in keys(run) if key in ("glow", "shine", "gleam")] == ["shine"]
    page = render([run])
    first, fold = page.index('id="scores"'), page.index('id="columns"')
    assert "Glow" not in page[first:fold]
    assert "Glow" in page[fold : page.index("</details>", fold)]


def test_there_are_never_more_than_ten_columns_and_they_are_the_first() -> None:
    asking = {f"m{i}": {"label": f"M{i}", "group": "Z", "order": 900 + i, "headline": True} for i in range(9)}
    found = keys(made(**asking))
    assert len(found) == MOST - 2
    assert found[:6] == ["id_retrieval", "identity", "shape", "expression", "pose", "truth_pixel"]
    assert found[6:] == ["m0", "m1"]
    heads = Tables(render([made(**asking)])).heads[0]
    assert (len(heads), heads[0], heads[-1]) == (MOST, "Model", "Framesscored")


def test_without_any_headline_the_first_that_may_be_ranked_stand_in() -> None:
    given = content("mine")
    given["metrics"] = {
        f"m{i}": {**given["metrics"]["identity"], "unranked": "why" if i == 0 else None} for i in range(12)
    }
    assert keys(RunFiles(Results.model_validate(given))) == [f"m{i}" for i in range(1, 9)]
    empty = RunFiles(Results.model_validate(content("bare", metrics={})))
    assert Tables(render([empty])).heads[0] == ["Model", "Framesscored"]


def test_where_nothing_may_be_ranked_the_first_stand_in_marked() -> None:
    """As in a run of --self: a table of no number would say nothing."""
    one = RunFiles.read(ROOT / "results" / "self-rendered" / "smoothswap")
    table = build([one])
    assert not [column for column in table.columns if column.ranked]
    first_judges = [column for column in table.columns if "@" not in column.key]
    assert headline(table) == first_judges[: MOST - 2]
    page = render([one])
    heads = Tables(page).heads[0][1:-1]
    assert len(heads) == len(headline(table))
    assert all("‡" in head for head in heads)
    assert "ID retrieval searches" not in page


def test_of_two_judges_the_one_with_fewer_daggers_stands_in_the_headline() -> None:
    other = {"instrument": "arcface:x"}
    assert "identity" in keys(made(identity__arc=other))
    found = keys(
        made("a", identity={"dagger": "trained with it"}, identity__arc=other), made("b", identity__arc=other)
    )
    assert "identity@arc" in found
    assert "identity" not in found


def test_lost_frames_and_clips_that_are_not_there_stand_in_the_first_table() -> None:
    given = content("mine")
    given["counts"] = {"expected": 24, "used": 6, "failed": {"no_face": 8, "not_available": 10}}
    page = render([RunFiles(Results.model_validate(given))])
    first = page[page.index('id="scores"') : page.index('id="columns"')]
    assert re.search(
        r'start frames lost"><span class="value">6</span><span class="interval">of 24</span>.*?10 not there',
        first,
    )


def test_no_table_has_two_columns_of_one_name(runs: list[RunFiles]) -> None:
    """Also of results that were written when the errors against the truth were called like the distances."""
    old = {
        "truth_identity": {"label": "Identity", "group": "Against the truth"},
        "truth_pose": {"label": "Pose", "group": "Against the truth"},
        "glow": {"label": "Pose", "group": "Against the truth"},
    }
    for page in (render(runs, [drawn(m, 3) for m in MODELS]), render([made(**old), made("target")])):
        tables = Tables(page).heads
        assert len(tables) > 6
        for heads in tables:
            assert len(set(heads)) == len(heads), heads
    labels = {column.key: column.label for column in build([made(**old)]).columns}
    assert (labels["identity"], labels["truth_identity"]) == ("Identity", "Identity (against the truth)")
    assert (labels["truth_pose"], labels["glow"]) == ("Pose (against the truth)", "Pose (glow)")
    assert len({spec.label for spec in ours().values()}) == len(ours())


def test_daggers_bold_and_grey_are_the_same_in_both_tables() -> None:
    best = {"value": 0.99, "ci95": [0.98, 1.0]}
    page = render([made("a", identity=best, pose={"dagger": "trained with it"}), made("b"), made("c")])
    first, rest = page.split('id="columns"')
    first, fold = first[first.index('id="scores"') :], rest[: rest.index("</details>")]
    for part, grey in ((first, 0), (fold, 1)):
        cell = re.search(r'class="best [^"]*" title="a, Identity:.*?</a>', part, re.DOTALL)
        assert cell is not None
        assert part.count('class="best ') == 1
        assert len(re.findall(r'class="marked [^"]*" title="a, Pose:', part)) == 1
        assert part.count("<sup>†</sup>") == 1
        assert bool(re.search(r'class="[^"]*unranked[^"]*"', part)) == bool(grey)
        assert ("shown, but not ranked" in part) is True


def test_all_models_stand_on_the_same_frames_and_a_failed_one_says_so() -> None:
    lost = [
        Failure("003_004", 12, "model_error", "it fell over"),
        Failure("009_010", 12, "no_face", "no face"),
        Failure("020_021", 12, "not_available", "not on the disk"),
    ]
    runs = [made("copy-target"), replace(made("a"), failures=lost), made("b")]
    kept = [drawn(m, s) for m in ("copy-target", "b") for s in (3, 9, 20)]
    kept += [replace(drawn("a", 3), swap=None), drawn("a", 9)]
    shown = side_by_side([*kept, picture("b", "best", 30)], build(runs))
    assert shown is not None
    assert shown.names == ["source", "target", "a", "b", "truth"]
    assert [strip.clip for strip in shown.strips] == ["003_004", "009_010", "020_021"]
    said = [[(tile.image is not None, tile.said) for tile in strip.tiles[1:3]] for strip in shown.strips]
    assert said == [
        [(False, "model error"), (True, "")],
        [(True, "no face"), (True, "")],
        [(False, "not available"), (True, "")],
    ]
    page = render(runs, kept)
    strips = page[page.index('<figure class="lot') : page.index("</figure>")]
    assert f"Not chosen: {RULE}." in strips
    assert strips.count('<span class="empty">') == 2
    assert strips.count('scope="row"') == 3
    assert all(f"{name}, 003_004 frame 12" in strips for name in ("source", "target", "b", "truth"))


def test_without_a_lot_there_is_no_picture_and_references_stand_in_for_models() -> None:
    table = build([made("copy-target"), made("blur")])
    assert side_by_side([picture("blur", "random", 1)], table) is None
    shown = side_by_side([drawn("blur", 1, truth=False), drawn("copy-target", 1, truth=False)], table)
    assert shown is not None
    assert shown.names == ["source", "target", "copy-target", "blur"]


def test_many_models_wrap_and_stay_light() -> None:
    names = [f"model-{i}" for i in range(20)]
    noise = np.random.default_rng(0)
    cases = [
        replace(drawn(name, seed), swap=noise.integers(0, 256, (128, 128, 3), np.uint8))
        for name in names
        for seed in (1, 2, 3, 4)
    ]
    shown = side_by_side(cases, build([made(name) for name in names]))
    assert shown is not None
    assert shown.wraps
    images = [tile.image for strip in shown.strips for tile in strip.tiles if tile.image is not None]
    assert sum(len(image.uri) for image in images) <= 320_000


def test_a_frame_of_the_lot_may_lack_its_swap_and_no_other_may(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_bytes(store.pack([replace(drawn("m", 1), swap=None), drawn("m", 2)]))
    back = store.read(tmp_path / "p.parquet")
    assert [one.swap is None for one in back] == [True, False]
    assert {(one.scope, one.metric_text) for one in back} == {("lot", RULE)}
    with pytest.raises(ValueError, match="lacks its swap"):
        replace(picture("m", "best", 1), swap=None)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if program() is None:
        pytest.skip("no chromium on this machine (apt install chromium)")
    with Browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


def test_at_1280_pixels_nothing_scrolls_sideways(browser: Browser, tmp_path: Path) -> None:
    """Table and picture of one model lie on one screen; of twelve the picture lies below, and nothing is wider."""
    for models in (1, 12):
        names = ["copy-target", *(f"a-long-model-name-{i}" for i in range(models)), "copy-source", "oracle"]
        target = {"value": 3.0, "ci95": [1.0, 5.0], "unit": "%", "higher_is_better": False}
        runs = [made(name, target_retrieval=target) for name in names]
        path = tmp_path / f"{models}.html"
        path.write_text(render(runs, [drawn(name, s) for name in names for s in (1, 2, 3, 4)]), "utf-8")
        for script in (True, False):
            browser.open(path, 1280, 1000, script=script)
            browser.call("Emulation.setScriptExecutionDisabled", value=False)
            boxes = "[...document.querySelectorAll('.first .scroll')]"
            assert browser.run(f"{boxes}.map(e => e.scrollWidth - e.clientWidth)") == [0, 0]
        assert (
            browser.run("document.querySelectorAll('#scores .scores thead tr:last-child th').length") <= MOST
        )
        low = browser.run("document.querySelector('.lot table').getBoundingClientRect().bottom")
        assert low <= 1000 or models > 1
        seen = "document.querySelector('#columns table').checkVisibility()"
        assert not browser.run(seen)
        browser.run("document.querySelector('#columns summary').click()")
        assert browser.run(seen)
    browser.open(path, 390, 844)
    assert browser.run("document.querySelector('.lot .scroll').scrollWidth") <= 390
