"""The page: escaped, alone (no script, nothing fetched), the same for the same input, and small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.html import render, write_report
from reports.pictures.store import CASES, Picture
from reports.results import OutputError, Results, ResultsError, write_atomic
from reports.table import Failure, RunFiles, build
from tests.support import ROOT
from tests.support.report_builders import MODELS, content, picture

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7*7 }} $\\frac{1}{2}$ &amp;"
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def hostile_run() -> RunFiles:
    given = content("x")
    given["run"]["model"].update(name=HOSTILE, note=HOSTILE, trained_with=["dlib"])
    given["run"]["command"] = given["run"]["data"]["name"] = HOSTILE
    given["run"]["protocol"][HOSTILE] = HOSTILE
    given["run"]["environment"][HOSTILE] = {HOSTILE: [HOSTILE]}
    given["run"]["instruments"][0].update(licence=HOSTILE, crop=HOSTILE)
    given["counts"] = {"expected": 2, "used": 1, "failed": {HOSTILE: 1}}
    given["metrics"][f"new@{HOSTILE}"] = {
        **given["metrics"]["identity"],
        "label": HOSTILE,
        "description": HOSTILE,
        "unit": "<b>",
        "missing_policy": HOSTILE,
    }
    return RunFiles(
        Results.model_validate(given), [Failure(HOSTILE, 3, HOSTILE, HOSTILE)], "javascript:alert(1)//.."
    )


def test_hostile_text_stays_text() -> None:
    shown = picture(HOSTILE, "best", 1, clip=HOSTILE, metric_text=HOSTILE)
    page = Page(render([hostile_run()], [shown]))
    assert [tag for tag, _ in page.tags].count("script") == 1  # our own
    assert "b" in {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
    assert page.words.count("<script>alert('x')</script>") > 10
    assert "{{ 7*7 }}" in page.words
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len([a for a in images if a.get("src")]) == 4
    links = [attributes["href"] or "" for tag, attributes in page.tags if tag == "a"]
    outside = [link for link in links if not link.startswith(("#", "data:text/csv;base64,"))]
    assert outside
    assert all(re.fullmatch(r"\./javascript%3Aalert%281%29%2F%2F\.\./[\w.]+", link) for link in outside)


def test_the_page_stands_alone(runs: list[RunFiles], cases: list[Picture]) -> None:
    text = render(runs, cases)
    page = Page(text)
    assert not {"link", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "poster", "data", "action"):
            value = attributes.get(name)
            if value is not None:
                assert value.startswith(("data:image/", "data:text/csv;base64,", "#", "./")), (
                    tag,
                    name,
                    value[:80],
                )
    assert not re.search(
        r"https?:|//[a-z]|@import|url\((?!#)", re.sub(r"data:[\w/]+;base64,[^\"]*", "", text)
    )
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    digest = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert digest is not None
    sha = base64.b64encode(hashlib.sha256(digest[1].encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{sha}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_ids_are_unique_over_all_figures(runs: list[RunFiles]) -> None:
    text = render(runs)
    defined = [a["id"] for _, a in Page(text).tags if "id" in a]
    clips = re.findall(r"url\(#([^)]+)\)", text)
    assert clips
    assert set(clips) <= set(defined)
    # A marker may be defined alike in two panels; a clip path must be its own panel's.
    assert all(defined.count(name) == 1 for name in set(clips))


def test_the_same_input_gives_the_same_page(runs: list[RunFiles], cases: list[Picture]) -> None:
    program = (
        "import sys\nfrom tests.support.report_builders import *\n"
        "from reports.html import render\nfrom reports.results import Results\n"
        "from reports.table import RunFiles\n"
        "runs = [RunFiles(Results.model_validate(content(m))) for m in MODELS]\n"
        "sys.stdout.buffer.write(render(runs, [picture(MODELS[1], 'best', 3)]).encode())"
    )
    pages = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pages) == 1
    assert len(pages.pop()) > 50_000


def test_reading_an_old_result_loads_no_torch_no_instrument_and_no_other_layer(tmp_path: Path) -> None:
    """In a process of its own: what our metrics are looked up with is imported by name, which no import linter sees."""
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content()))
    program = (
        "import sys, reports.html, reports.markdown\n"
        "from reports.results import load\n"
        f"assert load({str(path)!r}).metrics['pose'].label == 'Pose'\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'onnxruntime', 'smoothswap', 'bench')"
        " or m.startswith('metrics.instruments') if m != 'smoothswap' and not m.startswith('smoothswap.plumbing')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_every_value_interval_and_count_is_on_the_page(runs: list[RunFiles], cases: list[Picture]) -> None:
    words = Page(render(runs, cases)).words
    for text in (
        *("46.3", "42.4–50.6", "0.861", ".823–.903", "396", "of 400", "nothing swapped", "the true swap"),
        *("no_face", "frame 9 of 10 could not be decoded: invalid data", "021_020", "How to read this"),
        *("source_rule", "first_valid", "Apache-2.0", "1 min 23 s", "python -m bench.ffpp"),
        content()["run"]["protocol"]["hash"],
    ):
        assert text in words, text
    for column in build(runs).columns:
        assert column.definition in words
    for model in MODELS:
        assert model in words


def test_missing_values_and_empty_runs_make_a_page() -> None:
    given = content("mine")
    for value in given["metrics"].values():
        value.update(value=None, ci95=None, n=0, clusters=0)
    given["counts"] = {"expected": 0, "used": 0, "failed": {}}
    page = Page(render([RunFiles(Results.model_validate(given))]))
    assert "svg" not in {tag for tag, _ in page.tags}
    empty = RunFiles(Results.model_validate(content("bare", metrics={})))
    assert "bare" in Page(render([empty])).words


def test_rows_that_do_not_compare_are_announced(runs: list[RunFiles]) -> None:
    assert "not all comparable" not in render(runs)
    changes = {
        "protocols": lambda c: c["run"]["protocol"].update(hash="other"),
        "data": lambda c: c["run"]["data"].update(manifest_sha256="other"),
        "weights of dlib": lambda c: c["run"]["instruments"][0].update(weights_sha256="other"),
        "pose is not the same measurement": lambda c: c["metrics"]["pose"].update(version=2),
    }
    for said, change in changes.items():
        given = content("other")
        change(given)
        words = Page(render([*runs, RunFiles(Results.model_validate(given))])).words
        assert "not all comparable" in words
        assert said in words


def test_the_headline_says_whether_intervals_are_apart(runs: list[RunFiles]) -> None:
    assert (
        "smoothswap 46.3 % (42.4 to 50.6), better than copy-target (by their two intervals)"
        in Page(render(runs)).words
    )
    given = content("weak")
    given["metrics"]["id_retrieval"].update(value=4.0, ci95=[1.0, 7.0])
    words = Page(render([*runs, RunFiles(Results.model_validate(given))])).words
    assert "weak 4.0 % (1.0 to 7.0), not separated from copy-target (by their two intervals)" in words


def test_no_runs_and_doubled_names_are_refused(runs: list[RunFiles], tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no results to report"):
        write_report(tmp_path, [])
    with pytest.raises(ResultsError, match="two results for smoothswap"):
        write_report(tmp_path, [*runs, runs[0]])
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_is_a_file_is_one_error(runs: list[RunFiles], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match=r"cannot write .*report\.html"):
        write_report(tmp_path / "out", runs)


@pytest.mark.parametrize("size", [64, 512])
def test_32_cases_of_noise_stay_under_3_mb(runs: list[RunFiles], tmp_path: Path, size: int) -> None:
    noise = np.random.default_rng(0)
    parts = {
        name: noise.integers(0, 256, (size, size, 3), np.uint8)
        for name in ("source", "target", "swap", "truth")
    }
    cases = [
        picture(model, case, 7, **parts) for case in CASES for model in (*MODELS, "six", "seven", "eight")
    ]
    path = write_report(tmp_path, runs, cases)
    assert path == tmp_path / "report.html"
    assert path.stat().st_size < 3_000_000
    assert path.read_text(encoding="utf-8").count("data:image/") == 32 * 4


def test_a_run_is_read_back_from_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "smoothswap"
    given = content()
    write_atomic(folder / "results.json", Results.model_validate(given))
    assert RunFiles.read(folder) == RunFiles(Results.model_validate(given), (), "smoothswap")
    rows = {
        "clip": ["000_001", "000_001"],
        "frame": [0, 9],
        "status": ["ok", "no_face"],
        "reason": ["", "no face"],
    }
    pd.DataFrame({**rows, "metric/identity": [0.5, None]}).to_parquet(folder / "frames.parquet")
    assert RunFiles.read(folder).failures == [Failure("000_001", 9, "no_face", "no face")]
    (folder / "frames.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(ResultsError, match=r"cannot read .*frames\.parquet"):
        RunFiles.read(folder)
    pd.DataFrame({"other": [1]}).to_parquet(folder / "frames.parquet")
    with pytest.raises(ResultsError, match=r"frames\.parquet lacks the columns clip, frame, status"):
        RunFiles.read(folder)
