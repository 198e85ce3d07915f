"""FaceForensics++ on disk: directions, keys, what is missing, and malformed trees."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bench.data.ffpp import FaceForensics, read_identity_map
from bench.data.pairs import ClipKey, DataOptions, missing, require
from bench.errors import DataError
from tests.support import ROOT


def empty_tree(root: Path, clips: list[str], folder: str = "c23") -> Path:
    videos = root / "original_sequences" / "youtube" / folder / "videos"
    videos.mkdir(parents=True)
    for clip in clips:
        (videos / f"{clip}.mp4").write_bytes(b"x")
    (root / "splits").mkdir()
    (root / "splits" / "test.json").write_text(json.dumps([["953", "974"], ["012", "026"]]))
    return root


def test_a_split_entry_is_both_directions_and_the_first_number_is_the_target(tmp_path: Path) -> None:
    pairs = FaceForensics(empty_tree(tmp_path / "d", ["953"])).pairs("test")
    assert [(p.id, p.target, p.source) for p in pairs] == [
        ("953_974", "953", "974"),
        ("974_953", "974", "953"),
        ("012_026", "012", "026"),
        ("026_012", "026", "012"),
    ]
    assert [p.cluster for p in pairs] == ["953+974", "953+974", "012+026", "012+026"]


def test_the_official_splits_give_720_140_140_clips() -> None:
    shared = Path(os.environ.get("SMOOTHSWAP_SHARED", ROOT.parent / "shared"))
    splits = shared / "data" / "ffpp_splits"
    if not splits.is_dir():
        pytest.skip(
            "the official split files of FaceForensics++ are not at hand (set SMOOTHSWAP_SHARED: data/ffpp_splits)"
        )
    from bench.data.ffpp import _pairs_of

    assert {name: 2 * len(_pairs_of(splits / f"{name}.json")) for name in ("train", "val", "test")} == {
        "train": 720,
        "val": 140,
        "test": 140,
    }


def test_splits_are_found_in_root_in_dataset_or_where_told(tmp_path: Path) -> None:
    root = empty_tree(tmp_path / "d", ["953"])
    (root / "dataset").mkdir()
    (root / "splits").rename(root / "dataset" / "splits")
    assert len(FaceForensics(root).pairs("test")) == 4
    (root / "dataset" / "splits").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"no split file test\.json in .*--splits"):
        FaceForensics(root).pairs("test")
    assert len(FaceForensics(root, DataOptions(splits=tmp_path / "elsewhere")).pairs("test")) == 4


def test_all_is_train_val_and_test_after_each_other(tmp_path: Path) -> None:
    root = empty_tree(tmp_path / "d", ["953"])
    (root / "splits" / "train.json").write_text('[["071", "054"]]')
    (root / "splits" / "val.json").write_text("[]")
    assert [p.target for p in FaceForensics(root).pairs("all")] == ["071", "054", "953", "974", "012", "026"]
    with pytest.raises(DataError, match=r"'val' .*holds no pairs"):
        FaceForensics(root).pairs("val")


def test_limit_takes_the_first_clips(tmp_path: Path) -> None:
    assert [p.id for p in FaceForensics(empty_tree(tmp_path / "d", ["953"])).pairs("test", 3)] == [
        "953_974",
        "974_953",
        "012_026",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[["071"]]', r'found \["071"\]'),
        ("[[71, 54]]", r"found \[71, 54\]"),
        ('[["071", "071"]]', "two different"),
        ('[["71", "054"]]', "three-digit strings"),
        ('{"a": 1}', "every entry is a pair"),
        ("[", "no JSON"),
        ('[["071", "054"], ["054", "071"]]', "lists a pair twice: 071_054, 054_071"),
    ],
)
def test_malformed_splits_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    root = empty_tree(tmp_path / "d", ["953"])
    (root / "splits" / "test.json").write_text(text)
    with pytest.raises(DataError, match=said):
        FaceForensics(root).pairs("test")


@pytest.mark.parametrize("folder", ["raw", "c0"])
@pytest.mark.parametrize("asked", ["raw", "c0"])
def test_raw_and_c0_are_the_same(tmp_path: Path, folder: str, asked: str) -> None:
    data = FaceForensics(empty_tree(tmp_path / "d", ["953"], folder), DataOptions(asked))
    path = data.path(data.original("953"))
    assert path is not None
    assert path.parent.parent.name == folder
    assert data.original("953") == ClipKey("original", "raw", "953")


def test_no_tree_another_tree_and_another_compression(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data folder .*--data"):
        FaceForensics(tmp_path / "none")
    with pytest.raises(DataError, match=r"no FaceForensics\+\+ tree"):
        FaceForensics(tmp_path)
    with pytest.raises(DataError, match=r"no c40 clips .*it has c23: use --compression"):
        FaceForensics(empty_tree(tmp_path / "d", ["953"]), DataOptions("c40"))


def test_a_half_download_names_the_missing_clips_and_the_remedies(tmp_path: Path) -> None:
    data = FaceForensics(empty_tree(tmp_path / "d", ["953", "012"]))
    wanted = [data.original(clip) for clip in ("953", "974", "012", "026", "974")]
    assert [key.id for key in missing(data, wanted)] == ["974", "026"]
    with pytest.raises(
        DataError,
        match=r"2 of 4 clips are not on the disk: original/c23/974, original/c23/026.*--skip-missing",
    ):
        require(data, wanted)
    require(data, [data.original("953")])


def test_the_same_id_under_four_manipulations_is_four_clips(tmp_path: Path) -> None:
    root = empty_tree(tmp_path / "d", ["953"])
    names = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
    for name in names:
        videos = root / "manipulated_sequences" / name / "c23" / "videos"
        videos.mkdir(parents=True)
        (videos / "953_974.mp4").write_bytes(name.encode())
    data = FaceForensics(root)
    paths = [data.path(ClipKey(name, "c23", "953_974")) for name in names]
    assert [path.read_text() for path in paths if path] == list(names)
    assert len({ClipKey(name, "c23", "953_974") for name in names}) == 4
    assert data.manipulations() == sorted(names)


def test_extracted_frames_count_as_a_clip(tmp_path: Path) -> None:
    root = empty_tree(tmp_path / "d", ["953"])
    frames = root / "original_sequences" / "youtube" / "c23" / "images" / "974"
    frames.mkdir(parents=True)
    data = FaceForensics(root)
    assert data.path(data.original("974")) == frames


def test_the_identity_map_joins_people(tmp_path: Path) -> None:
    root = empty_tree(tmp_path / "d", ["953"])
    file = tmp_path / "map.json"
    file.write_text('{"974": "043"}')
    pair = FaceForensics(root, DataOptions(identity_map=read_identity_map(file))).pairs("test")[0]
    assert (pair.source, pair.source_person, pair.cluster) == ("974", "043", "043+953")
    for bad, said in (
        ("[1]", "JSON object of strings"),
        ('{"1": "2", "2": "3"}', "mapped themselves"),
        ("{", "no JSON"),
    ):
        file.write_text(bad)
        with pytest.raises(DataError, match=said):
            read_identity_map(file)
    with pytest.raises(DataError, match="cannot read"):
        read_identity_map(tmp_path / "none.json")


def test_deepfakedetection_names_give_target_source_and_scene(tmp_path: Path) -> None:
    originals = tmp_path / "original_sequences" / "actors" / "c23" / "videos"
    clips = tmp_path / "manipulated_sequences" / "DeepFakeDetection" / "c23" / "videos"
    for folder, names in (
        (originals, ["01__walking", "02__walking", "03__kitchen"]),
        (clips, ["01_02__walking__YVGY8LOK", "01_03__walking__ABCDEFGH"]),
    ):
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.mp4").write_bytes(b"x")
    data = FaceForensics(tmp_path, DataOptions(sequences="actors"))
    pairs = data.pairs("all")
    # The source actor's clip of the same scene where there is one, else another of the same actor.
    assert [(p.id, p.target, p.source, p.target_person, p.source_person) for p in pairs] == [
        ("01_02__walking__YVGY8LOK", "01__walking", "02__walking", "01", "02"),
        ("01_03__walking__ABCDEFGH", "01__walking", "03__kitchen", "01", "03"),
    ]
    (clips / "odd.mp4").write_bytes(b"x")
    with pytest.raises(DataError, match="odd is no DeepFakeDetection name"):
        data.pairs("all")
