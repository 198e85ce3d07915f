"""What a report says of --self and --cycle, and of finished swaps that were checked."""

from __future__ import annotations

from typing import Any

from reports.html import render
from reports.markdown import markdown_table
from reports.modes import modes
from reports.results import Results
from reports.table import RunFiles
from tests.support.report_builders import content


def run(name: str = "smoothswap", mode: str | None = None, **changes: Any) -> RunFiles:
    made = content(name, **changes)
    if mode:
        made["run"]["protocol"]["mode"] = mode
    return RunFiles(Results.model_validate(made))


def test_page_and_table_say_the_mode_and_what_it_means() -> None:
    back = {"expected": 396, "used": 390, "failed": {"no_face": 6}}
    runs = [run("copy-target", "cycle"), run("smoothswap", "cycle", back=back)]
    for text in (render(runs), markdown_table(runs)):
        assert "--cycle" in text
        assert "Nothing swapped there and back is as good as perfect" in text
        assert "smoothswap 390 of 396 (6 no face)" in text


def test_each_mode_is_said_once_and_plain_swaps_are_none() -> None:
    assert modes([run("copy-target").results, run("smoothswap").results]) == []
    own, plain, cycle = (run("smoothswap", mode).results for mode in ("self", None, "cycle"))
    said = modes([own, plain, own, cycle])
    assert [mode.name for mode in said] == ["self", "cycle"]
    assert "one that does nothing is perfect in all of them" in said[0].meaning
    assert not said[0].ways


def test_the_page_shows_what_the_check_of_finished_swaps_found() -> None:
    found = {"fits": "fits", "doubtful": "doubtful", "cannot_tell": "cannot tell", "wrong": "wrong"}
    checks = [
        {"kind": kind, "text": "the background <is> somebody's", "mend": "--order source_target", "clips": i}
        for i, kind in enumerate(found)
    ]
    page = render([run("copy-target"), *(run(check["kind"], check=check) for check in checks)])
    section = page.partition('id="checks"')[2].partition("</section>")[0]
    for i, shown in enumerate(found.values()):
        assert f"<td>{shown}</td><td>{i}</td>" in section
    assert "the background &lt;is&gt; somebody" in section
    assert "<code>--order source_target</code>" in section
    warning = page.partition("may not be what their names say")[2].partition("</div>")[0]
    assert [f"{kind} ({shown})" in warning for kind, shown in found.items()] == [False, True, True, True]
    assert "not a run of plain swaps" not in page
    assert 'id="checks"' not in render([run("copy-target")])
