"""bench.embedders: networks, faces and crops, the sample, figures, training on the spot, the command, the page."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.embedders import paths
from bench.embedders.__main__ import main, parser
from bench.embedders.faces import Faces, open_faces, read, recut, source_of, usable
from bench.embedders.measures import draw, figures, probed
from bench.embedders.networks import Network, grouped, open_network
from bench.embedders.results import compared, estimates
from bench.embedders.training import finished, jobs
from bench.errors import DataError, UsageError
from bench.reading.aligned import points_of
from bench.reading.crops import cut, square
from bench.validity.samples import person_samples
from metrics.distances import cosine_similarity
from metrics.instruments import Crop
from reports.results import ResultsError
from reports.studies.embedder_findings import findings
from reports.studies.embedders import markdown, read_embedders, write_page
from smoothswap.faces.align import arcface_template, ffhq_affine, transform_points

TINY = [
    *("network.size=16", "network.width=8", "network.blocks=[1,1]", "network.hidden=16", "network.dim=8"),
    *(
        "people=4",
        "photos=2",
        "steps=4",
        "warmup=1",
        "validate_every=4",
        "recalibrate=1",
        "precision=float32",
    ),
    *("augment.saturation=0.4", "augment.tint=0.1", "augment.grayscale=0.1"),
]
SETTINGS = [word for value in TINY for word in ("--set", value)]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def write_faces(folder: Path, people: int, seed: int, names: list[str] | None = None) -> Path:
    """people x 4 discs at 16 px, each person of one colour."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:16, :16] - 7.5
    array = np.empty((people, 4, 16, 16, 3), np.uint8)
    for person in range(people):
        skin, radius = rng.uniform(60, 230, 3), rng.uniform(4, 8)
        for view in range(4):
            picture = np.where((x**2 + y**2 < radius**2)[..., None], skin, rng.uniform(0, 255, 3))
            array[person, view] = (picture + rng.normal(0, 5, picture.shape)).clip(0, 255)
    np.save(folder / "faces.npy", array)
    (folder / "meta.json").write_text(json.dumps({"seed": seed}))
    if names:
        (folder / "names.json").write_text(json.dumps(names))
    return folder


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faces(tmp_path_factory.mktemp("faces") / "train", 12, 0)


@pytest.fixture(scope="module")
def test_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faces(tmp_path_factory.mktemp("faces") / "test", 10, 1)


def linear(name: str, size: int, dim: int, seed: int, crop: str = "ffhq") -> Network:
    """A network that is one linear map of the pixels."""
    weights = torch.from_numpy(np.random.default_rng(seed).normal(size=(3 * size * size, dim))).float()

    def forward(pixels: torch.Tensor) -> torch.Tensor:
        return (pixels / 127.5 - 1).flatten(1) @ weights

    def read(crops: np.ndarray) -> np.ndarray:
        return forward(torch.tensor(crops).permute(0, 3, 1, 2).float()).numpy()

    about = {"fingerprint": f"{name}{seed}", "seed": seed, "loss": name}
    return Network(name, Crop(crop, size), about, read, forward)  # type: ignore[arg-type]


def test_networks_are_opened_by_what_they_are(colours: str, tmp_path: Path) -> None:
    onnx = colours.removeprefix("arcface:")
    given = [open_network(text) for text in (f"mine={onnx}", onnx, f"other={colours}?colour=bgr")]
    assert [one.name for one in given] == ["mine", "arcface:colours", "other"]
    assert {one.crop for one in given} == {Crop("arcface", 112)}
    assert all(one.differentiable is None for one in given)
    ours = open_network("judge=recogniser-96")
    assert (ours.name, ours.crop, ours.seed) == ("judge", Crop("ffhq", 96), ours.about["seed"])
    assert open_network("recogniser-96").name == ours.about["loss"]
    with pytest.raises(UsageError, match="same network"):
        grouped([given[0], given[1]])
    assert list(grouped([given[0], given[2]])) == ["mine", "other"]
    for text in ("x=", "=recogniser-96", "x=recogniser-95", f"x={tmp_path}", "x=anny", "x=arcfac:y.bin"):
        with pytest.raises(UsageError, match="embedder"):
            open_network(text)


def test_pixels_gradients_and_readings_belong_together() -> None:
    ours = open_network("judge=recogniser-96")
    crops = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), np.uint8)
    assert ours.differentiable is not None
    again = ours.differentiable(torch.tensor(crops).permute(0, 3, 1, 2).float()).detach().numpy()
    assert np.allclose(again, ours.read(crops), atol=1e-5)


def test_the_recut_crop_has_arcfaces_points_where_they_belong() -> None:
    left, right, nose, corner, other = arcface_template(112)
    landmarks = np.tile(nose, (68, 1))
    landmarks[36:42], landmarks[42:48], landmarks[48], landmarks[54] = left, right, corner, other
    points = transform_points(ffhq_affine(landmarks, 64), arcface_template(112))
    for i, (x, y) in enumerate(points):
        yy, xx = np.mgrid[:64, :64]
        picture = (255 * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 6)).astype(np.uint8)
        found = recut(np.repeat(picture[None, ..., None], 3, -1), Crop("arcface", 112))[0, ..., 0]
        top = np.array(np.unravel_index(found.argmax(), found.shape))[::-1]
        assert np.abs(top - arcface_template(112)[i]).max() < 1.5
    assert recut(np.zeros((2, 64, 64, 3), np.uint8), Crop("ffhq", 96)).shape == (2, 96, 96, 3)
    with pytest.raises(UsageError, match="--lfw"):
        recut(np.zeros((1, 64, 64, 3), np.uint8), Crop("dlib", 150))


def test_other_crops_are_cut_by_landmarks_of_the_enlarged_faces(tmp_path: Path) -> None:
    photos = [person_samples(person, 256, 5)[0].image for person in (0, 1)]
    network = open_network("dlib")
    landmarks = points_of(photos)
    assert all(found is not None for found in landmarks)
    aligned = [square(photo, found, 64) for photo, found in zip(photos, landmarks, strict=True)]
    pictures = np.stack([*aligned, np.zeros((64, 64, 3), np.uint8)])
    faces = Faces(pictures, np.arange(3), ("0", "1", "2"), None, "dlib", False)
    rows = read(network, faces, None, tmp_path, "test")
    assert np.isfinite(rows).all(axis=1).tolist() == [True, True, False]
    whole = network.read(
        np.stack([cut(photo, found, network.crop) for photo, found in zip(photos, landmarks, strict=True)])
    )
    near = cosine_similarity(rows[:2], whole)  # the same face from a quarter of the pixels
    assert near.min() > 0.9
    assert near.min() > cosine_similarity(whole[:1], whole[1:]).max()
    assert "landmarks found in the stored faces of 64 pixels" in source_of(network, faces, None)
    blank = replace(faces, pictures=pictures[2:], people=np.zeros(1, np.int64), names=("2",), sha256="blank")
    with pytest.raises(DataError, match="no face was found"):
        read(network, blank, None, tmp_path, "test")


def test_photos_are_detected_and_cut_anew_and_read_once(tmp_path: Path, colours: str) -> None:
    from PIL import Image

    names = ("Ann_0001", "Bob_0001", "Cy_0001")
    for person, name in enumerate(names):
        folder = tmp_path / "photos" / name.rpartition("_")[0]
        folder.mkdir(parents=True)
        blank = np.zeros((192, 192, 3), np.uint8)
        picture = blank if name == "Cy_0001" else person_samples(person, 192, 5)[0].image
        Image.fromarray(picture).save(folder / f"{name}.jpg")
    network = open_network(f"mine={colours}")
    faces = Faces(np.zeros((3, 64, 64, 3), np.uint8), np.arange(3), ("Ann", "Bob", "Cy"), names, "abc", True)
    rows = read(network, faces, tmp_path / "photos", tmp_path / "kept", "test")
    assert np.isfinite(rows).all(axis=1).tolist() == [True, True, False]  # no face is no reading
    assert usable([rows, np.zeros((3, 2), np.float32)]).tolist() == [True, True, False]
    again = read(network, faces, tmp_path / "nowhere", tmp_path / "kept", "test")
    assert np.array_equal(rows, again, equal_nan=True)
    stored = read(network, faces, None, tmp_path / "kept", "test")  # without the photos: from the black faces
    assert np.ptp(stored) == 0
    unlisted = replace(faces, photos=None, sha256="d")
    with pytest.raises(DataError, match=r"ledger\.parquet"):
        read(network, unlisted, tmp_path / "photos", tmp_path / "kept", "test")


def test_people_are_apart(train: Path, test_faces: Path, tmp_path: Path) -> None:
    gallery, test = open_faces(train, test_faces)
    assert (len(gallery.names), len(test.names), len(test.people)) == (12, 10, 40)
    gallery, held = open_faces(train, None)
    assert (len(gallery.names), len(held.names)) == (10, 2)
    assert np.array_equal(held.pictures[0], np.load(train / "faces.npy")[10, 0])
    with pytest.raises(DataError, match="everybody"):
        open_faces(train, train)
    named = [
        write_faces(tmp_path / k, 4, i, [f"{k}{j}" for j in range(3)] + ["Ann"]) for i, k in enumerate("ab")
    ]
    with pytest.raises(DataError, match="Ann"):
        open_faces(*named)


def test_the_sample_pairs_everybody_once_and_leaves_out_what_was_not_read() -> None:
    people = np.repeat(np.arange(30), 3)
    good = np.ones(90, bool)
    good[:3] = False  # the first person was not read
    sample = draw(people, good, 100, 0)
    ends = people[np.r_[sample.a, sample.b]]
    assert len(np.unique(ends)) == len(ends) == 28
    assert 0 not in people[np.r_[sample.first, sample.second, sample.one, sample.a, sample.b]]
    assert np.array_equal(people[sample.first] == people[sample.second], sample.same)
    assert sample.same.sum() == 29 * 3
    assert (sample.first != sample.second).all()
    again = draw(people, good, 100, 0)
    assert np.array_equal(sample.a, again.a)
    assert not np.array_equal(sample.a, draw(people, good, 100, 1).a)
    with pytest.raises(DataError, match="four people"):
        draw(np.arange(10), np.ones(10, bool), 3, 0)


def test_figures_tell_a_good_embedder_from_noise(train: Path, test_faces: Path) -> None:
    gallery, test = open_faces(train, test_faces)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(22, 6))
    good = (centres[10 + test.people] + rng.normal(0, 0.05, (40, 6))).astype(np.float32)
    of_gallery = (centres[gallery.people % 10] + rng.normal(0, 0.05, (48, 6))).astype(np.float32)
    noise = rng.normal(size=(40, 6)).astype(np.float32)
    sample = draw(test.people, np.ones(40, bool), 5, 0)
    one, two = (figures(rows, of_gallery, test, gallery, sample) for rows in (good, noise))
    assert one["verification_auc"].value == pytest.approx(1)
    assert one["tar_at_far@0.001"].value == pytest.approx(1)
    assert abs(two["verification_auc"].value - 0.5) < 0.2
    assert one["alignment"].value < two["alignment"].value
    assert {len(figure.without) for key, figure in one.items() if key.startswith("verif")} == {10}
    found = compared({"good": {k: [v] for k, v in one.items()}, "noise": {k: [v] for k, v in two.items()}})
    gap = found["verification_auc"]["good - noise"]
    assert (gap["better"], gap["separated"]) == ("good", True)
    assert found["alignment"]["good - noise"]["better"] == "good"  # lower is better there
    stored = estimates({k: [v, v] for k, v in one.items()}, {"verification_auc": (9, 5)}, 0)
    assert stored["verification_auc"]["seeds"] == [1, 1]
    assert (stored["verification_auc"]["n"], stored["verification_auc"]["clusters"]) == (9, 5)


def test_a_probe_reads_what_a_recogniser_sees_and_leaves_out_what_it_cannot_read() -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 3)
    own = (rng.normal(size=(40, 6))[people] + rng.normal(0, 0.1, (120, 6))).astype(np.float32)
    judge = (own @ rng.normal(size=(6, 5))).astype(np.float32)
    noise = rng.normal(size=own.shape).astype(np.float32)
    judge[7], own[5] = np.nan, np.nan
    usable = np.isfinite(own).all(axis=1) & np.isfinite(judge).all(axis=1)
    sample = draw(people, usable, 5, 0)
    good, bad = (probed(rows, judge, people, usable, sample, 0) for rows in (own, noise))
    assert good["probe_explained"].value > 0.8
    assert good["probe_retrieval@1"].value > 80
    assert good["probe_retrieval@5"].value >= good["probe_retrieval@1"].value
    assert bad["probe_explained"].value < 0.1
    assert bad["probe_retrieval@1"].value < 15
    assert {len(figure.without) for figure in good.values()} == {40}
    few = people < 8
    with pytest.raises(DataError, match="--probe: 8 people are too few"):
        probed(own[few], judge[few], people[few], usable[few], draw(people[few], usable[few], 2, 0), 0)


@pytest.fixture(scope="module")
def rendered() -> paths.Rendered:
    return paths.render([Crop("ffhq", 32), Crop("arcface", 112)], 2, 0, steps=3)


def test_paths_change_one_thing_and_are_cut_for_every_network(rendered: paths.Rendered) -> None:
    assert {crop for _, crop in rendered.pictures} == {
        paths.PIXELS,
        Crop("ffhq", 32),
        Crop("arcface", 112),
    }
    assert rendered.pictures["morph", Crop("arcface", 112)].shape == (2, 4, 112, 112, 3)
    small = {kind: rendered.pictures[kind, Crop("ffhq", 32)].astype(int) for kind in paths.KINDS}
    for path in range(2):
        moved = {kind: np.abs(small[kind][path, -1] - small[kind][path, 0]).mean() for kind in small}
        assert moved["morph"] > moved["age"] > 1
        assert moved["weight"] > 1
    result = paths.measure_pixels(rendered)
    assert result.figures["path_extent@morph"].value > 0
    assert result.curves["morph"][0] == 0
    assert result.curves["morph"][-1] == pytest.approx(1)
    assert not any("agreement" in key for key in result.figures)


def test_gradients_along_a_path_against_finite_differences(rendered: paths.Rendered) -> None:
    network = linear("line", 32, 6, 0)
    pictures = rendered.pictures["morph", Crop("ffhq", 32)][:1]
    found = paths.picture_agreement(network, pictures)
    x = pictures[0].astype(np.float64)

    def loss(picture: np.ndarray, goal: np.ndarray) -> float:
        pixels = torch.from_numpy(np.stack([picture, goal])).permute(0, 3, 1, 2)
        weights = network.differentiable  # float32 inside; a step of 1 grey level is large enough
        assert weights is not None
        a, b = weights(pixels.float()).double().numpy()
        return 1 - float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    rng = np.random.default_rng(1)
    places = [tuple(rng.integers(0, s) for s in x[0].shape) for _ in range(400)]
    slopes = np.empty((3, len(places)))
    for k in range(3):
        for j, place in enumerate(places):
            up, down = x[k].copy(), x[k].copy()
            up[place] += 8
            down[place] -= 8
            slopes[k, j] = loss(up, x[-1]) - loss(down, x[-1])
    norms = np.linalg.norm(slopes, axis=1)
    cosines = np.sum(slopes[1:] * slopes[:-1], axis=1) / norms[1:] / norms[:-1]
    assert found[0] == pytest.approx(cosines.mean(), abs=0.1)  # of 400 of the 3,072 pixels


def test_a_straight_embedding_descends_all_the_way() -> None:
    angles = np.linspace(0, 1.5, 7)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)[None]
    slopes = paths.loss_slopes(circle)
    assert slopes.shape == (1, 6)
    assert (slopes < 0).all()
    step = angles[1]
    assert slopes[0, 3] == pytest.approx(-(np.cos(1.5 - angles[4]) - np.cos(1.5 - angles[2])) / 2)
    assert slopes[0, 0] == pytest.approx(-(np.cos(1.5 - step) - np.cos(1.5)))


def test_the_command_trains_compares_and_writes_a_page(
    train: Path,
    test_faces: Path,
    colours: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped by SIGTERM in the second training, the same command goes on and ends as if it had not been."""
    from smoothswap.pretrained import fingerprint, load_embedder
    from smoothswap.training.embedder import EmbedderTask

    words = [
        "--train",
        "contrastive,arcface",
        "--seeds",
        "2",
        "--preset",
        "lite-64",
        *SETTINGS,
        "--set",
        "arcface.scale=16",
    ]
    words += ["--set", "adversarial=0", "--embedder", f"colours={colours}", "--threads", "1", "--pairs", "5"]
    words += ["--data", str(train), "--test", str(test_faces), "--probe", colours]
    out = tmp_path / "out"
    step = EmbedderTask.step

    def killed(self: EmbedderTask, number: int) -> dict[str, float]:
        if self.config.loss == "arcface" and number == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(EmbedderTask, "step", killed)
        assert main([*words, "--out", str(out)]) == 128 + signal.SIGTERM
    assert "goes on where it was" in capsys.readouterr().err
    assert not (out / "embedders.json").exists()
    assert main([*words, "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "contrastive, seed 0: finished already" in said.err
    whole = tmp_path / "whole"
    assert (
        main([*words, "--out", str(whole), "--rendered", "--paths", "2", "--path-steps", "3", "--json"]) == 0
    )
    other = json.loads(capsys.readouterr().out)
    for name in ("contrastive-0", "arcface-0", "arcface-1"):
        nets = [load_embedder(folder / "embedders" / name)[0] for folder in (out, whole)]
        assert fingerprint(nets[0]) == fingerprint(nets[1])

    found = read_embedders(out / "embedders.json")
    assert set(found["embedders"]) == {"contrastive", "arcface", "colours"}
    assert found["paths"] is None
    for one in found["embedders"].values():
        assert {
            "verification_auc",
            "d_smooth",
            "d_smooth@ends",
            "interpolation_count",
            "effective_rank",
            "uniformity",
        } <= set(one)
        assert len(one["verification_auc"]["seeds"]) == len(one["networks"])
        assert sum(one["spectrum"]) == pytest.approx(1)
    assert [n["seed"] for n in found["embedders"]["arcface"]["networks"]] == [0, 1]
    assert "fixed similarity" in found["embedders"]["colours"]["networks"][0]["crops"]
    assert found["probe"]["name"] == "arcface:colours"
    assert found["embedders"]["colours"]["probe_explained"]["value"] > 0.95  # itself
    assert found["embedders"]["colours"]["probe_explained"]["n"] == 40
    assert {"probe_explained", "probe_retrieval@1", "probe_retrieval@5"} <= set(found["embedders"]["arcface"])
    assert found["embedders"]["contrastive"]["d_smooth"] == other["embedders"]["contrastive"]["d_smooth"]
    assert len(found["differences"]["d_smooth"]) == 3
    assert len(found["interpolations"]["rows"]) == 3 * 3
    assert markdown(found) in said.out
    picture = (out / "interpolations.webp").read_bytes()
    assert picture[8:12] == b"WEBP"

    assert "gradient_agreement@morph" in other["embedders"]["contrastive"]
    assert "gradient_agreement@morph" not in other["embedders"]["colours"]  # ONNX has no gradients
    assert "descent_agreement@age" in other["embedders"]["colours"]
    assert set(other["paths"]["curves"]) == {"contrastive", "arcface", "colours", "pixels"}
    page = (whole / "embedders.html").read_text()
    assert "<script" not in page
    assert "5.13" in page
    assert page.count("<svg") >= 10
    hostile = json.loads(json.dumps(other).replace('"colours', '"<script>alert(1)</script>'))
    assert "<script" not in write_page(tmp_path / "hostile", hostile, picture).read_text()


def test_wrong_requests_are_one_line(
    train: Path, test_faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["--data", str(train), "--test", str(test_faces), "--out", str(tmp_path)]
    wrong = {
        (): "nothing to compare",
        ("--train", "arcfase"): "Did you mean 'arcface'",
        ("--train", "arcface,arcface"): "twice",
        ("--embedder", "x=nowhere"): "nowhere",
        ("--train", "arcface", "--preset", "lite-65"): "lite-64",
        ("--train", "arcface", "--set", "peple=3"): "people",
    }
    for words, hint in wrong.items():
        assert main([*base, *words]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert hint in lines[-1] or hint in "".join(lines[-3:])
    assert main([*base, "--embedder", "recogniser-96", "--lfw", str(tmp_path)]) == 3
    assert "images_deepfunneled" in capsys.readouterr().err
    assert main([*base[:1], str(tmp_path / "none"), *base[2:], "--embedder", "recogniser-96"]) == 3
    assert "no faces.npy" in capsys.readouterr().err
    with pytest.raises(ResultsError, match=r"bench\.embedders"):
        read_embedders(tmp_path / "none.json")


def test_jobs_go_seed_by_seed(tmp_path: Path) -> None:
    options = parser().parse_args(
        ["--data", "d", "--train", "contrastive, softmax", "--seeds", "2", "--out", str(tmp_path)]
    )
    assert [(j.loss, j.seed) for j in jobs(options)] == [
        ("contrastive", 0),
        ("softmax", 0),
        ("contrastive", 1),
        ("softmax", 1),
    ]
    assert not finished(jobs(options)[0])


def made(d_smooth: float, separated: bool, auc: float = 0.95, rank: float = 20.0) -> dict:
    def figure(value: float) -> dict:
        return {"value": value, "ci95": [value - 0.1, value + 0.1]}

    def gap(value: float) -> dict:
        return {
            "arc - smooth": {
                "value": value,
                "ci95": [value - 0.1, value + 0.1],
                "p_holm": 0.2,
                "separated": separated,
            }
        }

    embedders = {
        "arc": {
            "verification_auc": figure(auc),
            "effective_rank": figure(rank),
            "networks": [{"loss": "arcface"}] * 2,
        },
        "smooth": {
            "verification_auc": figure(0.95),
            "effective_rank": figure(20.0),
            "networks": [{"loss": "contrastive"}],
        },
    }
    return {
        "embedders": embedders,
        "differences": {"d_smooth": gap(d_smooth), "verification_auc": gap(auc - 0.95)},
    }


def test_findings_say_what_the_differences_say() -> None:
    def said(results: dict) -> str:
        return " ".join(f"{one['says']} {one['because']}" for one in findings(results))

    holds = said(made(0.3, True))
    assert "is below arc's. Holds here." in holds
    assert "smooth minus arc = −0.300 (95 % interval −0.400 to −0.200)" in holds
    assert "The opposite is measured here." in said(made(-0.3, True))
    undecided = said(made(0.3, False))
    assert "Not decided here." in undecided
    assert "One network only: smooth." in undecided
    assert "do not tell these people apart equally well" not in undecided
    unlike = said(made(0.3, True, auc=0.75))
    assert "Holds here, between networks that differ in more than their loss" in unlike
    assert "do not tell these people apart equally well" in unlike
    assert "Holm p 0.2" in holds
    assert "space of arc is narrow" in said(made(0.3, True, rank=3.0))
