"""python -m smoothswap.swap and smoothswap.swap_faces: pictures, videos with sound, several faces, what is refused.

The model is a tiny random one: it changes every pixel it may change. Faces are rendered; real ones where at hand.
"""

from __future__ import annotations

import io
import struct
import tarfile
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

import smoothswap
from smoothswap import inference, pretrained
from smoothswap.config import EmbedderConfig, SwapperConfig, flatten
from smoothswap.faces.align import ffhq_affine, transform_points
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face
from smoothswap.inference import FaceError, FaceSwapper, faces_to_swap, own_mask
from smoothswap.media import files
from smoothswap.media.images import read_image
from smoothswap.media.video import iter_frames, read_frames
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator
from smoothswap.networks.model import SmoothSwap
from smoothswap.networks.options import EmbedderOptions, GeneratorOptions
from smoothswap.rendered.ffpp import Clip, render_clip
from smoothswap.swap import main

SIZE = 32
TIMES = [0, 80, 160, 250, 320, 333, 480, 560]  # milliseconds: a variable frame rate
EMPTY = (3, 6)  # frames without a face


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny untrained swapper whose change of the target is strong."""
    torch.manual_seed(0)
    options = GeneratorOptions(
        size=SIZE, width=8, channel_multipliers=(1, 2), blocks=1, identity_dim=8, init_scale=1.0
    )
    network = EmbedderOptions(backbone="lite", size=SIZE, width=8, blocks=(1, 1), hidden=16, dim=8)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    about = {
        "part": "swapper",
        "config": {
            "swapper": flatten(SwapperConfig(generator=options)),
            "embedder": flatten(EmbedderConfig(network=network)),
        },
    }
    pretrained.save(path, {"generator": Generator(options), "embedder": Embedder(network)}, about)
    return path


@pytest.fixture(scope="module")
def rendered() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two people, 128 x 128."""
    return render_clip(Clip(1, 1, 8, 128, 3))[0], render_clip(Clip(2, 2, 2, 128, 3))[0]


@pytest.fixture(scope="module")
def source(rendered: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "person.png"
    Image.fromarray(rendered[1][0]).save(path)
    return path


@pytest.fixture(scope="module")
def talk(rendered: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An mp4 of a talking head with sound, uneven times, BT.709 colours, and frames that show nobody."""
    shown = [np.full_like(f, 128) if i in EMPTY else f for i, f in enumerate(rendered[0])]
    return write_clip(tmp_path_factory.mktemp("talk") / "talk.mp4", shown)


def write_clip(
    path: Path,
    shown: list[np.ndarray],
    sound: str = "aac",
    start: int = 0,
    pix_fmt: str = "yuv420p",
    second: bool = False,
) -> Path:
    """H.264 at TIMES (milliseconds, plus `start`) with 0.6 s of sound from 0 on; `second`: one more video stream."""
    base = Fraction(1, 1000)
    with av.open(str(path), "w", options={"video_track_timescale": "1000"}) as container:
        container.metadata["title"] = "a talk"
        video: Any = container.add_stream("libx264", rate=12, options={"crf": "8"})
        video.height, video.width = shown[0].shape[:2]
        video.pix_fmt, video.codec_context.time_base = pix_fmt, base
        video.codec_context.colorspace, video.codec_context.color_range = 1, 1
        audio: Any = container.add_stream(sound, rate=16000, layout="mono")
        if second:
            other: Any = container.add_stream("libx264", rate=12)
            other.width, other.height, other.pix_fmt = 32, 32, "yuv420p"
        for time, image in zip(TIMES, shown, strict=False):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=1, dst_color_range=1)
            frame.pts, frame.time_base = time + start, base
            container.mux(video.encode(frame))
        container.mux(video.encode())
        wave = (np.sin(np.arange(9600) / 9) * 9000).astype(np.int16)[None]
        samples: Any = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        samples.sample_rate, samples.pts = 16000, 0
        container.mux(audio.encode(samples))
        container.mux(audio.encode())
        if second:
            container.mux(other.encode(av.VideoFrame(32, 32, "yuv420p")))
            container.mux(other.encode())
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def packets(path: Path) -> list[tuple[Any, ...]]:
    with av.open(str(path)) as container:
        return [(p.pts, p.dts, p.duration, p.time_base, bytes(p)) for p in container.demux(audio=0) if p.size]


def times(path: Path) -> list[tuple[int | None, Fraction]]:
    with av.open(str(path)) as container:
        return [(frame.pts, frame.time_base) for frame in container.decode(video=0)]


def source_type(xmp: str | bytes) -> str | None:
    """The digital source type in an XMP packet, by an XML parser that knows nothing of how it was written."""
    text = xmp.decode() if isinstance(xmp, bytes) else xmp
    root = ET.fromstring(text[text.index("<x:xmpmeta") : text.index("<?xpacket end")])
    return root.findtext(".//{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")


def in_square(shape: tuple[int, ...], face: Face) -> np.ndarray:
    """bool [h, w]: where the face's FFHQ crop lies in the frame."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    u, v = np.moveaxis(transform_points(ffhq_affine(face.landmarks, SIZE), np.stack([x, y], -1)), -1, 0)
    return (np.minimum(u, v) >= -0.5) & (np.maximum(u, v) <= SIZE - 0.5)


# --- pictures ---


def test_a_picture_changes_inside_the_square_and_nowhere_else(
    model: Path, source: Path, rendered: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(rendered[0][0]).save(tmp_path / "scene.png")
    assert run(source, tmp_path / "scene.png", "-o", tmp_path / "out.png", "--model", model) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.strip() == f"{tmp_path / 'out.png'}: 1 of 1 face swapped"
    before, after = rendered[0][0], np.asarray(Image.open(tmp_path / "out.png"))
    (face,) = Detector().detect(before)
    inside = in_square(before.shape, face)
    assert 0.1 < inside.mean() < 0.9
    np.testing.assert_array_equal(after[~inside], before[~inside])
    assert abs(after[inside].astype(int) - before[inside]).mean() > 5
    np.testing.assert_array_equal(smoothswap.swap_faces(read_image(source), before, model), after)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_pictures_say_that_they_are_synthetic(
    model: Path, source: Path, rendered: Any, tmp_path: Path, suffix: str
) -> None:
    scene, out = tmp_path / "scene.jpg", tmp_path / f"out{suffix}"
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"  # stored turned: shown after a quarter turn clockwise
    profile = b"a colour profile"
    Image.fromarray(np.rot90(rendered[0][0])).save(
        scene, exif=exif, quality=97, subsampling=0, icc_profile=profile
    )
    assert run(source, scene, "-o", out, "--model", model) == 0
    with Image.open(out) as image:
        kept = image.info["XML:com.adobe.xmp" if suffix == ".png" else "xmp"]
        assert source_type(kept) == files.SOURCE_TYPE
        assert files.SOURCE_TYPE.endswith("/digitalsourcetype/trainedAlgorithmicMedia")
        assert image.info["icc_profile"] == profile
        assert not image.getexif()
        after = np.asarray(image.convert("RGB")).astype(int)
    upright = rendered[0][0]
    outside = ~in_square(upright.shape, Detector().detect(read_image(scene))[0])
    assert abs(after - upright)[outside].mean() < 8  # what compression costs the noise of the background
    assert abs(after - upright)[~outside].mean() > 16


def test_quality_is_obeyed(model: Path, source: Path, tmp_path: Path) -> None:
    for quality in (30, 95):
        assert (
            run(source, source, "-o", tmp_path / f"{quality}.jpg", "--model", model, "--quality", quality)
            == 0
        )
    assert run(source, source, "-o", tmp_path / "default.jpg", "--model", model) == 0
    assert (tmp_path / "30.jpg").stat().st_size < 0.6 * (tmp_path / "95.jpg").stat().st_size
    assert (tmp_path / "default.jpg").read_bytes() == (tmp_path / "95.jpg").read_bytes()


def test_several_faces(model: Path, source: Path, rendered: Any, tmp_path: Path, capsys: Any) -> None:
    """The same person twice, the right one larger and so the largest: each --face changes the faces it names."""
    small, large = rendered[0][0], np.asarray(Image.fromarray(rendered[0][0]).resize((160, 160)))
    pair = np.concatenate([np.pad(small, ((0, 32), (0, 0), (0, 0))), large], 1)
    Image.fromarray(pair).save(tmp_path / "pair.png")
    left, right = sorted(Detector().detect(pair), key=lambda face: face.box[0])
    results = {}
    for which in ("1", "2", "largest", "all"):
        out = tmp_path / f"{which}.png"
        assert run(source, tmp_path / "pair.png", "-o", out, "--model", model, "--face", which) == 0
        assert ("2 of 2" if which == "all" else "1 of 2") + " faces swapped" in capsys.readouterr().err
        results[which] = np.asarray(Image.open(out)).astype(int)

    def change(which: str, face: Face) -> float:
        x0, y0, x1, y1 = (int(edge) for edge in face.box)
        return float(abs(results[which] - pair)[y0:y1, x0:x1].mean())

    assert change("1", left) > 5
    assert change("1", right) < 1
    assert change("2", right) > 5
    assert change("2", left) < 1
    np.testing.assert_array_equal(results["largest"], results["2"])
    assert change("all", left) == pytest.approx(change("1", left), rel=0.05)
    assert change("all", right) == pytest.approx(change("2", right), rel=0.05)
    assert run(source, tmp_path / "pair.png", "-o", tmp_path / "3.png", "--model", model, "--face", "3") == 3
    assert f"face 3 was asked for, but {tmp_path / 'pair.png'} shows 2 at most" in capsys.readouterr().err
    assert not (tmp_path / "3.png").exists()


def test_neighbours_do_not_paste_over_each_other() -> None:
    """Two squares of 32 crop pixels, 16 apart: each keeps its own middle and leaves the other's alone."""
    here = np.array([[1.0, 0, 0], [0, 1, 0]])
    there = np.array([[1.0, 0, -16], [0, 1, 0]])
    mask = own_mask(here, [there], SIZE)
    assert isinstance(mask, np.ndarray)
    assert mask[16, 12] == 1
    assert mask[16, 31] == 0  # the neighbour's middle
    mirrored = own_mask(there, [here], SIZE)
    assert isinstance(mirrored, np.ndarray)
    np.testing.assert_allclose(mask, mirrored[:, ::-1], atol=1e-6)
    assert own_mask(here, [], SIZE) == "square"


def test_which_face_of_a_clip() -> None:
    def at(x: float, side: float = 40) -> Face:
        return Face((x, 0, x + side, side), np.zeros((68, 2), np.float32), 1.0)

    a, b = [at(10 + i) for i in range(4)], [at(200 - i, 60) for i in range(4)]
    clip = [[a[0]], [b[1], a[1]], [], [b[3], a[3]]]
    assert faces_to_swap(clip, "all") == clip
    assert faces_to_swap(clip, "largest") == [[], [b[1]], [], [b[3]]]
    assert faces_to_swap(clip, 1) == [[a[0]], [a[1]], [], [a[3]]]
    assert faces_to_swap(clip, 2) == [
        [],
        [b[1]],
        [],
        [b[3]],
    ]  # counted in the second frame, where there are two
    with pytest.raises(FaceError, match="face 3 was asked for, but the target shows 2 at most"):
        faces_to_swap(clip, 3)
    with pytest.raises(FaceError, match=r"no face was found in x\.mp4"):
        faces_to_swap([[], []], "all", r"x.mp4")
    for bad in (0, "left"):
        with pytest.raises(ValueError, match='face is "largest", "all" or a number from 1'):
            faces_to_swap(clip, bad)


# --- the Python call ---


def test_arrays_and_tensors(model: Path, rendered: Any) -> None:
    loaded = smoothswap.load(model)
    assert isinstance(loaded, SmoothSwap)
    source, target = rendered[1][0], rendered[0][0]
    wanted = smoothswap.swap_faces(source, target, loaded)
    assert wanted.dtype == np.uint8
    planes = torch.from_numpy(target).permute(2, 0, 1)
    swapped = smoothswap.swap_faces(torch.from_numpy(source).permute(2, 0, 1), planes, loaded)
    np.testing.assert_array_equal(swapped.permute(1, 2, 0).numpy(), wanted)
    smooth = planes.double() / 127.5 - 1 + 1e-3 * (planes < 250)  # not on the 256 levels
    smooth_swapped = smoothswap.swap_faces(source, smooth, loaded)
    assert smooth_swapped.dtype == torch.float64
    same = torch.from_numpy((wanted == target).transpose(2, 0, 1).copy())
    assert torch.equal(smooth_swapped[same], smooth[same])
    expected = torch.from_numpy(wanted).permute(2, 0, 1) / 127.5 - 1
    torch.testing.assert_close(smooth_swapped[~same].float(), expected[~same])


def test_what_the_python_call_refuses(model: Path, rendered: Any) -> None:
    loaded, face = smoothswap.load(model), rendered[0][0]
    blank = np.full_like(face, 128)
    with pytest.raises(FaceError, match="no face was found in the source"):
        smoothswap.swap_faces(blank, face, loaded)
    with pytest.raises(FaceError, match="no face was found in the target"):
        smoothswap.swap_faces(face, blank, loaded)
    with pytest.raises(ValueError, match=r"target is a tensor \[128, 128, 3\]; expected \[3, h, w\]"):
        smoothswap.swap_faces(face, torch.from_numpy(face), loaded)
    with pytest.raises(ValueError, match=r"values outside \[-1, 1\]"):
        smoothswap.swap_faces(face, torch.from_numpy(face).permute(2, 0, 1).float(), loaded)
    with pytest.raises(ValueError, match=r"source is float64 \[128, 128, 3\]; expected uint8"):
        smoothswap.swap_faces(face / 255, face, loaded)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        smoothswap.lod  # noqa: B018


# --- videos ---


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_video_keeps_its_sound_times_and_other_frames(
    model: Path, source: Path, talk: Path, tmp_path: Path, capsys: Any, suffix: str
) -> None:
    out = tmp_path / f"out{suffix}"
    assert run(source, talk, "-o", out, "--model", model, "--batch-size", 3, "--crf", 8) == 0
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line == f"{out}: 6 of 8 frames swapped; kept as they were: 2 without a face"
    before, after = read_frames(talk).frames, read_frames(out).frames
    sound_before, sound_after = packets(talk), packets(out)
    assert len(sound_before) > 5
    assert [p[4] for p in sound_after] == [p[4] for p in sound_before]
    # Matroska has no time below zero, where this sound starts: sound and frames move together.
    shift = 64 if suffix == ".mkv" else 0
    assert times(out) == [(time + shift, Fraction(1, 1000)) for time in TIMES]
    assert times(talk) == [(time, Fraction(1, 1000)) for time in TIMES]
    if suffix == ".mkv":
        assert [p[0] * p[3] - Fraction(64, 1000) for p in sound_after] == [p[0] * p[3] for p in sound_before]
    else:
        assert sound_after == sound_before
    assert len(after) == len(before) == len(TIMES)
    for i, (one, two) in enumerate(zip(before, after, strict=True)):
        changed = np.ones(one.shape[:2], bool)
        if i in EMPTY:
            assert abs(one.astype(int) - two).max() <= 2
        else:
            changed = in_square(one.shape, Detector().detect(one)[0])
            assert abs(one.astype(int) - two)[changed].mean() > 5
            assert abs(one.astype(float) - two)[~changed].mean() < 2.5
            assert abs((one.astype(float) - two)[~changed].mean(0)).max() < 0.6  # no shift of colour


def test_videos_say_that_they_are_synthetic(model: Path, source: Path, talk: Path, tmp_path: Path) -> None:
    for suffix in (".mp4", ".mkv"):
        out = tmp_path / f"out{suffix}"
        assert run(source, talk, "-o", out, "--model", model) == 0
        with av.open(str(out), options={"export_xmp": "1"}) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
            stream = container.streams.video[0]
            assert stream.codec_context.colorspace == 1  # BT.709, as declared by the input
            assert stream.codec_context.pix_fmt == "yuv420p"
        assert tags["comment"] == files.COMMENT
        assert files.SOURCE_TYPE in tags["comment"]
        assert tags["title"] == "a talk"
        if suffix == ".mp4":
            assert source_type(tags["xmp"]) == files.SOURCE_TYPE
        else:
            assert tags["digital_source_type"] == files.SOURCE_TYPE


def test_a_turned_recording_comes_out_upright(
    model: Path, source: Path, rendered: Any, tmp_path: Path
) -> None:
    """A phone stores the picture lying and a display matrix of 90 degrees clockwise: patched into the track header."""
    upright = [np.pad(frame, ((0, 0), (0, 32), (0, 0)), "edge") for frame in rendered[0][:3]]
    stored = write_clip(tmp_path / "stored.mp4", [np.rot90(frame) for frame in upright])
    data = bytearray(stored.read_bytes())
    place = data.index(b"tkhd") + 44  # version, times, id, duration, layer, volume: 40 bytes, then the matrix
    assert struct.unpack(">9i", data[place : place + 36]) == (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    data[place : place + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    turned, out = tmp_path / "turned.mp4", tmp_path / "out.mp4"
    turned.write_bytes(data)
    assert next(iter_frames(turned)).shape == (128, 160, 3)
    assert run(source, turned, "-o", out, "--model", model) == 0
    with av.open(str(out)) as container:
        assert [frame.rotation for frame in container.decode(video=0)] == [0, 0, 0]
    for one, two in zip(upright, read_frames(out).frames, strict=True):
        outside = ~in_square(one.shape, Detector().detect(one)[0])
        assert (
            abs(one.astype(float) - two)[outside].mean() < 8
        )  # two compressions; turned wrongly it is over 30
    assert packets(out) == packets(turned)


def test_nothing_is_left_out_in_silence(
    model: Path, source: Path, rendered: Any, tmp_path: Path, capsys: Any
) -> None:
    """The person is on the left; in the third frame somebody stands on the right alone. A second video goes along."""
    nobody = np.full_like(rendered[0][0], 128)
    wide = [np.concatenate([frame, nobody], 1) for frame in rendered[0][:4]]
    wide[2] = wide[2][:, ::-1]
    scene = write_clip(tmp_path / "scene.mp4", wide, second=True)
    out = tmp_path / "out.mp4"
    assert run(source, scene, "-o", out, "--model", model) == 0
    assert capsys.readouterr().err.strip().splitlines()[-1] == (
        f"{out}: 3 of 4 frames swapped; kept as they were: 1 that show other faces only; streams left out: video"
    )
    before, after = read_frames(scene).frames, read_frames(out).frames
    assert abs(before[2].astype(int) - after[2]).mean() < 4 < abs(before[1].astype(int) - after[1]).mean()


def test_late_starts_odd_sides_and_a_video_as_source(
    model: Path, rendered: Any, tmp_path: Path, capsys: Any
) -> None:
    person = write_clip(tmp_path / "person.mp4", [np.full_like(rendered[1][0], 90), rendered[1][0]])
    odd = [frame[:127, 1:] for frame in rendered[0][:3]]
    scene = write_clip(tmp_path / "scene.mkv", odd, sound="pcm_u8", start=37, pix_fmt="yuv444p")
    assert run(person, scene, "-o", tmp_path / "out.mkv", "--model", model) == 0
    assert "3 of 3 frames swapped; kept as they were: none" in capsys.readouterr().err
    assert times(tmp_path / "out.mkv") == times(scene)
    assert times(scene)[0] == (37, Fraction(1, 1000))
    assert packets(tmp_path / "out.mkv") == packets(scene)
    with av.open(str(tmp_path / "out.mkv")) as container:
        context = container.streams.video[0].codec_context
        assert (context.width, context.height, context.pix_fmt) == (127, 127, "yuv444p")
    assert run(person, scene, "-o", tmp_path / "out.mp4", "--model", model) == 3
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith(f"error: {tmp_path / 'out.mp4'}: .mp4 cannot hold these streams")
    assert error.endswith("sound: pcm_u8); write to a .mkv instead")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mkv", "person.mp4", "scene.mkv"]


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_avi_whose_frames_have_no_times_of_their_own(tmp_path: Path, codec: str) -> None:
    path, out = tmp_path / "clip.avi", tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(30000, 1001), options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for i in range(9):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 25 * i, np.uint8))))
        container.mux(stream.encode())
    assert files.rewrite_video(path, out, lambda first, batch: [None] * len(batch)) == []
    shown = [time * base for time, base in times(out) if time is not None]
    assert {after - before for before, after in pairwise(shown)} == {Fraction(1001, 30000)}
    levels = [frame.mean() for frame in read_frames(out).frames]
    np.testing.assert_allclose(levels, [25 * i for i in range(9)], atol=3)


# --- what is refused, and what stays when something fails ---


def test_one_clear_line_and_the_exit_code(
    model: Path, source: Path, talk: Path, tmp_path: Path, capsys: Any
) -> None:
    blank, animated, old = tmp_path / "blank.png", tmp_path / "animated.webp", tmp_path / "old.png"
    Image.new("RGB", (128, 128), "grey").save(blank)
    Image.new("RGB", (64, 64)).save(
        animated, save_all=True, append_images=[Image.new("RGB", (64, 64), "red")]
    )
    old.write_bytes(b"of before")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    new, clip = tmp_path / "new.png", tmp_path / "new.mp4"
    still = write_clip(tmp_path / "still.mp4", [np.full((64, 64, 3), 99, np.uint8)] * 2)
    cases: list[tuple[tuple[object, ...], int, str]] = [
        ((tmp_path / "gone.png", source, "-o", new), 3, "gone.png: no such file"),
        ((source, tmp_path / "broken.jpg", "-o", new), 3, "broken.jpg: not a whole image"),
        ((source, animated, "-o", new), 3, "animated.webp: an animation of 2 pictures"),
        ((blank, source, "-o", new), 3, "blank.png, the source"),
        ((source, blank, "-o", new), 3, "no face was found in"),
        ((source, still, "-o", clip), 3, "no face was found in"),
        ((source, source, "-o", tmp_path / "no" / "new.png"), 3, "no such folder"),
        ((source, source, "-o", old), 2, "exists; --force replaces it"),
        ((source, source, "-o", tmp_path / "new.gif"), 2, "unsupported extension '.gif' for a picture"),
        ((source, talk, "-o", new), 2, "unsupported extension '.png' for a video"),
        ((source, tmp_path / "x.docx", "-o", new), 2, "unsupported extension '.docx'; pictures: .png"),
        ((source, source, "-o", new, "--crf", 20), 2, "--crf is for videos"),
        ((source, source, "-o", new, "--quality", 20), 2, "--quality is for .jpg and .webp"),
        ((source, source, "-o", new, "--model", "smothswap"), 2, "unknown model: no weights 'smothswap'"),
        ((source, source, "-o", new, "--device", "abacus"), 2, "the device 'abacus' cannot be used"),
    ]
    before = sorted(tmp_path.iterdir())
    for arguments, code, text in cases:
        given = arguments if "--model" in arguments else (*arguments, "--model", model)
        assert run(*given) == code, text
        lines = capsys.readouterr().err.strip().splitlines()
        assert text in lines[-1]
        assert lines[-1].startswith("error: ")
        assert "Traceback" not in "".join(lines)
        assert sorted(tmp_path.iterdir()) == before
    assert "did you mean 'smoothswap'" in _error(capsys, source, source, "-o", new, "--model", "smothswap")
    for bad, text in {
        ("--face", "larges"): "Did you mean 'largest'?",
        ("--face", "0"): "'0' is not largest, all or a number from 1",
        ("--crf", "52"): "'52' is not a whole number from 0 to 51",
    }.items():
        with pytest.raises(SystemExit, match="2"):
            run(source, source, "-o", new, *bad)
        assert text in capsys.readouterr().err
    assert old.read_bytes() == b"of before"
    assert run(source, source, "-o", old, "--model", model, "--force") == 0
    assert Image.open(old).size == (128, 128)


def _error(capsys: Any, *arguments: object) -> str:
    run(*arguments)
    return str(capsys.readouterr().err)


def test_a_folder_that_may_not_be_written(
    model: Path, source: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert run(source, source, "-o", tmp_path / "new.png", "--model", model) == 3
    assert "the folder is not writable" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr("os.replace", _full)
    assert run(source, source, "-o", tmp_path / "new.png", "--model", model) == 3
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("error", "code"), [(FaceError("lost"), 3), (KeyboardInterrupt(), 130), (RuntimeError(), 0)]
)
def test_a_failing_swap_leaves_nothing(
    model: Path,
    source: Path,
    talk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    capsys: Any,
) -> None:
    """The second batch fails when frames were written already; an older OUT stays as it was."""
    batches = 0

    def swap(self: FaceSwapper, *arguments: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches == 2:
            assert list(tmp_path.glob(".out.*.part.mp4"))
            raise error
        return whole(self, *arguments)

    whole = FaceSwapper.swap
    monkeypatch.setattr(inference.FaceSwapper, "swap", swap)
    out = tmp_path / "out.mp4"
    out.write_bytes(b"of before")
    arguments = (source, talk, "-o", out, "--model", model, "--batch-size", 4, "--force")
    if code:
        assert run(*arguments) == code
        assert capsys.readouterr().err.strip().splitlines()[-1].startswith("error: ")
    else:
        with pytest.raises(RuntimeError):
            run(*arguments)
    assert batches == 2
    assert list(tmp_path.iterdir()) == [out]
    assert out.read_bytes() == b"of before"


# --- real people ---


def test_two_people_of_lfw(model: Path, shared_data: Path, tmp_path: Path, capsys: Any) -> None:
    archive = shared_data / "lfw" / "lfw250_deepfunneled.tar"
    if not archive.is_file():
        pytest.skip("Labeled Faces in the Wild is not among the real data")
    with tarfile.open(archive) as tar:
        for name in ("Tony_Blair", "Serena_Williams"):
            member = tar.extractfile(f"images_deepfunneled/{name}/{name}_0001.jpg")
            assert member is not None
            Image.open(io.BytesIO(member.read())).save(tmp_path / f"{name}.png")
    target, out = tmp_path / "Serena_Williams.png", tmp_path / "out.png"
    assert run(tmp_path / "Tony_Blair.png", target, "-o", out, "--model", model) == 0
    assert "1 of 1 face swapped" in capsys.readouterr().err
    before, after = read_image(target), read_image(out)
    inside = in_square(before.shape, Detector().detect(before)[0])
    np.testing.assert_array_equal(after[~inside], before[~inside])
    assert abs(after.astype(int) - before)[inside].mean() > 5
