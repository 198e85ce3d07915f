"""Pair lists: every form says the same, every mistake is one error with its line, and who is who is told as stated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.data.lists.pair_list import SPLIT, PairList
from bench.data.lists.people import rule_for
from bench.data.lists.table import Table, read_table
from bench.data.pairs import Pair, in_several_pairs
from bench.errors import DataError, UsageError
from bench.leaks import people_of
from bench.swappers import create

ROWS = [
    {"source": "a.png", "target": "b.png", "light": "dim"},
    {"source": "c.png", "target": "d.png", "light": ""},
]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Pictures a to d and some in folders, a video, and a folder of frames; nothing in them is looked at."""
    for name in (
        "a.png", "b.png", "c.png", "d.JPG", "e.mp4", "f/0000.png", "one/x.png", "two/x.png",
        "Al/Al_1.jpg", "Al/Al_2.jpg", "Bo/Bo_1.jpg", "g_0.png",
    ):  # fmt: skip
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "images"


def written(tmp_path: Path, text: str | bytes, name: str = "pairs.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def listed(
    tmp_path: Path, text: str, images: Path, people: str = "auto", name: str = "pairs.csv"
) -> PairList:
    return PairList(read_table(written(tmp_path, text, name)), images, people)


def clips(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in pairs]


# ---- the file ----
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "source,target,light\na.png,b.png,dim\nc.png,d.png,\n"),
        ("a.csv", "\ufeffSource,Target,light\r\n\r\na.png, b.png ,dim\r\nc.png,d.png,\r\n"),
        ("a.csv", "light;tgt;src\n\"dim\";b.png;a.png\n;d.png;c.png"),
        ("a.tsv", "source\ttarget\tlight\na.png\tb.png\tdim\nc.png\td.png\t\n"),
        (
            "a.json",
            '[{"src": "a.png", "target": "b.png", "light": "dim"},'
            ' {"source": "c.png", "tgt": "d.png", "light": null}]',
        ),
    ],
    ids=["csv", "spreadsheet", "semicolons", "tsv", "json"],
)  # fmt: skip
def test_every_form_says_the_same(tmp_path: Path, name: str, text: str) -> None:
    read = read_table(written(tmp_path, text, name))
    assert [row.values for row in read.rows] == ROWS
    assert read.attributes == ("light",)


def test_two_fields_without_names_are_source_and_target(tmp_path: Path) -> None:
    read = read_table(
        written(tmp_path, "0041-0_0.png 1268-0_0.png\r\n0041-0_1.png 1268-0_1.png\r\n", "casia.txt")
    )
    assert read.columns == ("source", "target")
    assert [row.values["target"] for row in read.rows] == ["1268-0_0.png", "1268-0_1.png"]
    other = read_table(written(tmp_path, "a,b,3\n"), ["target", "source", "age"])
    assert other.rows[0].values == {"target": "a", "source": "b", "age": "3"}


def test_numbers_and_truths_of_json_are_texts(tmp_path: Path) -> None:
    text = '[{"source": 28000, "target": 29000, "smile": true, "age": 31.5}]'
    assert read_table(written(tmp_path, text, "a.json")).rows[0].values == {
        "source": "28000", "target": "29000", "smile": "true", "age": "31.5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "a.csv", "is empty"),
        ("source,target\n", "a.csv", "holds no pairs"),
        ("source,target\na,b\n\xff".encode("latin-1"), "a.csv", "line 3 is not UTF-8"),
        ("source,target\n".encode("utf-16"), "a.csv", "is UTF-16"),
        ("source,target\na,\0b\n", "a.csv", "line 2 holds a zero byte"),
        ("sorce,target\na,b\n", "a.csv", "line 1: no column 'source'.* Did you mean 'sorce'"),
        ("source,target,source_persn\na,b,c\n", "a.csv", "nearly 'source_person'"),
        ("source,target,light,light\na,b,c,d\n", "a.csv", "two columns are called 'light'"),
        ("source,target,\na,b,c\n", "a.csv", "'' is no name of a column"),
        ("source,target," + ",".join(f"a{i}" for i in range(99)), "a.csv", "101 columns, more than 100"),
        ("source,target\na,b\n", "a\u202e.csv", "is to have a name that can be printed"),
        ("source,target\na,b\nc\n", "a.csv", "line 3 has 1 fields, the list has 2 columns"),
        ('source,target\n"a,b\n', "a.csv", "line 2: unexpected end of data"),
        ("a b c\n", "a.txt", "line 1 has 3 fields and names no columns"),
        ("{", "a.json", "is no JSON"),
        ('{"a": 1}', "a.json", "expected a JSON list of objects"),
        ('[{"source": "a"}]', "a.json", "no column 'target'"),
        ('[{"source": "a", "target": ["b"]}]', "a.json", "entry 1: target is no single value"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_error(tmp_path: Path, text: str, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_table(written(tmp_path, text, name))


def test_a_list_that_is_not_there_or_has_wrong_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the list"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="--columns: no column 'target'"):
        read_table(written(tmp_path, "a,b"), ["source", "goal"])


# ---- the names ----
def test_names_are_found_with_and_without_their_endings(tmp_path: Path, images: Path) -> None:
    data = listed(tmp_path, f"source,target\na,b.png\n./c.jpg,d.jpg\ne,f\n{images}/one/x.png,a\n", images)
    pairs = data.pairs(SPLIT)
    assert clips(pairs) == [("a", "b"), ("c", "d"), ("e", "f"), ("one/x", "a")]
    found = [data.path(data.original(clip)) for pair in pairs for clip in (pair.source, pair.target)]
    assert [path and str(path.relative_to(images)) for path in found] == [
        "a.png", "b.png", "c.png", "d.JPG", "e.mp4", "f", "one/x.png", "a.png",
    ]  # fmt: skip
    assert data.only_pictures(pairs[:2])
    assert not data.only_pictures(pairs)
    assert [pair.id for pair in data.pairs(SPLIT, 2)] == ["b_a", "d_c"]


def test_a_picture_numbered_0_is_not_the_video_of_that_name(tmp_path: Path, images: Path) -> None:
    data = listed(tmp_path, "source,target\na,g\n", images)
    with pytest.raises(DataError, match=r"1 pictures are not in .*line 2: 'g'"):
        data.require(data.pairs(SPLIT))


def test_files_called_alike_are_told_apart_by_their_folders(tmp_path: Path, images: Path) -> None:
    assert [p.id for p in listed(tmp_path, "a one/x\na two/x\n", images, name="a.txt").pairs(SPLIT)] == [
        "one-x_a", "two-x_a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source,target\na,../b.png\n", "line 2: the target '../b.png' is not below"),
        ("source,target\n/etc/passwd,b\n", "line 2: the source '/etc/passwd' is not below"),
        ("source,target\na,one/../../b\n", "is not below"),
        ("source,target\na,b\n,b\n", "line 3: no source"),
        ("source,target\na,b\nc,d\na.png,b\n", "line 4: the same source and target as line 2"),
        ("source,target\na,a.png\n", "the same picture, where doing nothing is a perfect swap"),
        ("source,target\nAl/Al_1,Al/Al_2\n", "the same person, 'Al'"),
        ("source,target,source_person\na,b,Ann\na,c,Anne\n", "line 3: 'a' shows 'Anne', and 'Ann' by line 2"),
        ("source,target,id\na,b,1\na,c,1\n", "line 3: the pair is called '1', as in line 2"),
        ("source,target,id\na,b,x/y\n", "name pairs in a column id"),
    ],
)
def test_a_line_that_cannot_be_used_is_one_error(tmp_path: Path, images: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        listed(tmp_path, text, images)


def test_what_is_not_there_is_named_by_its_line(tmp_path: Path, images: Path) -> None:
    data = listed(tmp_path, "source,target\na,nobody.png\n", images)
    with pytest.raises(DataError, match=r"line 2: 'nobody.png' \(it holds .*--skip-missing"):
        data.require(data.pairs(SPLIT))
    with pytest.raises(DataError, match="no folder"):
        PairList(data.table, images / "none")


# ---- the people ----
def test_people_are_columns_folders_digits_or_an_expression(tmp_path: Path, images: Path) -> None:
    lfw = listed(tmp_path, "source,target\nAl/Al_1,Bo/Bo_1\n", images)
    assert lfw.pairs(SPLIT)[0].cluster == "Al+Bo"
    assert people_of(lfw, lfw.pairs(SPLIT)) == ["name:Al", "name:Bo"]
    numbered = listed(tmp_path, "source,target,source_person,target_person\na,b,n0041,\nc,d,Ann,\n", images)
    assert people_of(numbered, numbered.pairs(SPLIT)) == ["clip:a", "clip:b", "name:Ann", "clip:d"]
    flat = listed(tmp_path, "source,target\na,b\n", images)
    assert people_of(flat, flat.pairs(SPLIT)) == ["clip:a", "clip:b"]
    said = listed(tmp_path, "source,target,source_person,target_person\na,b,Ann,Ben\n", images)
    assert said.person("a") == "Ann"
    casia = listed(tmp_path, "0041-0_0.png 1268-0_0.png\n0041-0_1.png 1268-0_1.png\n", images, name="a.txt")
    assert {pair.cluster for pair in casia.pairs(SPLIT)} == {"0041+1268"}
    assert rule_for("^(.)", ["ab", "cd"])("cd") == "c"
    assert rule_for("auto", ["one/x", "two/x"])("one/x") == "one/x"


@pytest.mark.parametrize(
    ("rule", "said"),
    [("folder", "lie in no folder"), ("^x", "no group"), ("(", "no regular"), ("(z)", "finds nobody")],
)
def test_a_rule_that_does_not_fit_is_refused(rule: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rule_for(rule, ["ab", "cd"])


def test_people_of_several_pairs_are_counted() -> None:
    pairs = [Pair("1", "t", "s", "A", "B"), Pair("2", "t", "s", "B", "A"), Pair("3", "t", "s", "A", "C")]
    assert in_several_pairs(pairs[:2]) == set()
    assert in_several_pairs(pairs) == {"A"}


# ---- what a list says besides ----
def test_the_same_list_in_another_form_has_the_same_hash(tmp_path: Path, images: Path) -> None:
    one = listed(tmp_path, "source,target\na.png,b\n", images)
    other = listed(tmp_path, '[{"target": "b.png", "source": "a"}]', images, name="pairs.json")
    third = listed(tmp_path, "source,target\nb,a\n", images)
    hashes = [data.described(data.pairs(SPLIT))["list_sha256"] for data in (one, other, third)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_finished_swaps_are_found_by_a_column_and_by_their_names(tmp_path: Path, images: Path) -> None:
    swaps = tmp_path / "swaps"
    swaps.mkdir()
    for name in ("1.png", "a-b.png", "c_d.png"):
        (swaps / name).touch()
    table = read_table(written(tmp_path, "source,target,swap,other\na,b,1.png,\nc,d,2.png,../images/a.png\n"))
    data = PairList(table, images, swaps=swaps)
    pairs = data.pairs(SPLIT)
    assert data.sliced_by == ["other"]
    by_column = create("mine=list", data).run
    assert [by_column.path(pair) for pair in pairs] == [swaps / "1.png", None]
    by_form = create(f"images:{swaps}?name={{source}}-{{target}}", data).run
    assert [by_form.path(pair) for pair in pairs] == [swaps / "a-b.png", None]
    by_order = create(f"images:{swaps}?order=source_target", data).run
    assert [by_order.path(pair) for pair in pairs] == [None, swaps / "c_d.png"]
    other = create("list:other", data).run
    assert data.sliced_by == []
    with pytest.raises(DataError, match=r"line 3: the other '../images/a.png' is not below"):
        other.path(pairs[1])
    with pytest.raises(UsageError, match=r"no column 'swop'.* Did you mean 'swap'"):
        create("list:swop", data)
    with pytest.raises(UsageError, match=r"lacks \{source\} or \{target\}"):
        create(f"images:{swaps}?name={{source}}", data)


def test_a_list_model_needs_a_list(tree: Path) -> None:
    from bench.data.ffpp import FaceForensics

    with pytest.raises(UsageError, match=r"python -m bench.pairs"):
        create("list", FaceForensics(tree))


def test_a_table_says_where_its_rows_stand(tmp_path: Path) -> None:
    table: Table = read_table(written(tmp_path, 'source,target,note\n\na,b,"two\nlines"\nc,d,\n'))
    assert [row.where for row in table.rows] == ["line 4", "line 5"]
