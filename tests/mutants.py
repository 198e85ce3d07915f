"""Hand-made mutants: one wrong line each, which the named tests must notice.

python tests/mutants.py                       run them all (some minutes)
python tests/mutants.py --only bgr norm       those whose name holds one of these words
python tests/mutants.py --record known.json   go on where a run was, and try first what killed a mutant last time
python tests/mutants.py --list                names, files and tests

Every mutant is applied to a copy of the tree in a temporary folder; the tree itself is never touched. The exit code is 0
only if all are killed. Needs os.fork (Linux, macOS). tests/test_mutants.py holds that each mutant still fits.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

# Loaded once, for every forked test run.
import hypothesis
import numpy as np  # noqa: F401
import pytest
import scipy.stats  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("bench", "metrics", "smoothswap", "reports", "tests", "docs", "pyproject.toml")
TIMEOUT = 300  # seconds for the tests of one mutant; a mutant that hangs is killed


@dataclass(frozen=True)
class Mutant:
    """`old` stands exactly once in `file` and becomes `new`; `tests` are arguments of pytest that must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _m(name: str, file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(name, file, old, new, tuple(f"tests/{test}" for test in tests))


_EVALUATION, _INVARIANCES = "metrics/test_evaluation.py", "metrics/test_invariances.py"
_RETRIEVAL, _STATISTICS = "metrics/frames/test_retrieval.py", "metrics/statistics/test_intervals.py"
_VERIFICATION, _SMOOTHNESS = "metrics/embedders/test_verification.py", "metrics/embedders/test_smoothness.py"
_SIGNIFICANCE, _TEMPORAL = "metrics/statistics/test_significance.py", "metrics/frames/test_temporal.py"
_DISTANCES, _QUALITY, _SLERP = (
    "metrics/test_distances.py",
    "metrics/pictures/test_distances.py",
    "metrics/embedders/test_slerp.py",
)
_FEW = f"{_STATISTICS}::test_few_clusters_and_bounded_values_get_halls_interval_or_students"
_SETS = "metrics/pictures/test_sets.py"
_PICKLED = "smoothswap/plumbing/test_pickled.py"
_ALIGN, _DETECT = "smoothswap/faces/test_align.py", "smoothswap/faces/test_choose.py"

MUTANTS = (
    # distances
    _m("cosine without norm", "metrics/distances.py",
       "np.clip(np.sum(unit(a) * unit(b), axis=1), -1.0, 1.0)",
       "np.clip(np.sum(np.asarray(a) * np.asarray(b), axis=1), -1.0, 1.0)", _DISTANCES),
    _m("cosine distance without the half", "metrics/distances.py", "np.clip(0.5 * np.sum(", "np.clip(np.sum(",
       _DISTANCES),
    _m("root mean square for L2", "metrics/distances.py",
       "np.sqrt(np.sum(difference * difference, axis=1))", "np.sqrt(np.mean(difference * difference, axis=1))",
       _DISTANCES),
    _m("relative upside down", "metrics/distances.py",
       "np.where(total > 0, w / np.where(", "np.where(total > 0, 1 - w / np.where(", _DISTANCES),
    _m("square overflows", "metrics/distances.py",
       "/ np.where(usable, peak, 1.0)", "/ np.where(usable, 1.0, 1.0)", _DISTANCES),
    # which side is wanted
    _m("source and target exchanged for shape", "metrics/frames/readings.py",
       '"shape": "source",', '"shape": "target",', _EVALUATION),
    _m("source and target exchanged for pose", "metrics/frames/readings.py", '"pose": "target",', '"pose": "source",',
       _EVALUATION),
    _m("identity held against the target", "metrics/frames/readings.py",
       'cosine_similarity(sides.swap["identity"], sides.source["identity"])',
       'cosine_similarity(sides.swap["identity"], sides.target["identity"])', _EVALUATION),
    _m("retrieval looks for the target", "metrics/frames/retrieval.py", "sides.wanted_id,", "sides.target_id,",
       _EVALUATION),
    # retrieval
    _m("ties count as right", "metrics/frames/retrieval.py", "nearest >= own - TIE", "nearest > own + TIE", _RETRIEVAL),
    _m("sort of the gallery dropped", "metrics/frames/retrieval.py",
       'order = np.argsort(ids, kind="stable")', "order = np.arange(len(ids))", _RETRIEVAL),
    _m("excluded source frame is found", "metrics/frames/retrieval.py",
       "cosine[hit, column[hit]] = -np.inf", "pass", _RETRIEVAL),
    _m("rank off by one", "metrics/frames/retrieval.py", "100.0 * (r <= k)", "100.0 * (r < k)", _RETRIEVAL),
    _m("retrieval without norm", "metrics/frames/retrieval.py",
       "p, g = unit(probes), unit(gallery)", "p, g = unit(probes), np.asarray(gallery, dtype=np.float64)",
       _RETRIEVAL),
    # evaluation
    _m("missing faces left out in silence", "metrics/evaluation.py",
       '(missing == "count_as_wrong" and metric.counted)', "False", _EVALUATION),
    _m("missing faces count as right", "metrics/frames/retrieval.py",
       "np.full(len(sides), 0.0)", "np.full(len(sides), 100.0)", _EVALUATION),
    _m("missing faces count as the wanted side", "metrics/frames/readings.py",
       "return between(reading, unwanted_side(reading, sides), wanted_side(reading, sides))",
       "return between(reading, wanted_side(reading, sides), wanted_side(reading, sides))", _EVALUATION),
    # statistics
    _m("cluster ignored", "metrics/statistics/intervals.py",
       "_, index = np.unique(c[kept], return_inverse=True)", "index = np.arange(int(kept.sum()))",
       f"{_STATISTICS}::test_sums_and_counts_by_hand",
       f"{_STATISTICS}::test_frames_of_one_cluster_are_not_independent_evidence"),
    _m("mean of cluster means", "metrics/statistics/intervals.py",
       "    mean = float(sums.sum() / counts.sum())", "    mean = float(means.mean())",
       f"{_STATISTICS}::test_clusters_weigh_as_many_frames_as_they_have"),
    _m("seed ignored", "metrics/statistics/intervals.py",
       "rng = np.random.default_rng(seed)", "rng = np.random.default_rng(0)",
       f"{_STATISTICS}::test_same_seed_same_interval_to_the_bit"),
    _m("normal instead of t for few clusters", "metrics/statistics/intervals.py",
       "special.stdtrit(k - 1, (1.0 + level) / 2.0)", "special.ndtri((1.0 + level) / 2.0)", _FEW),
    _m("skewness to the other side", "metrics/statistics/intervals.py",
       "np.mean(residual**3)", "-np.mean(residual**3)", _FEW),
    _m("resamples without a spread of their own", "metrics/statistics/intervals.py",
       "off / np.where(flat, 1.0, spread)", "off / float(np.median(spread))",
       f"{_STATISTICS}::test_interval_agrees_with_studentised_resampling_of_whole_clusters_in_a_loop"),
    _m("the upper quantile for the upper end", "metrics/statistics/intervals.py",
       "(float(high) if high < _END else np.inf, float(-low) if low > -_END else np.inf)",
       "(float(-low) if low > -_END else np.inf, float(high) if high < _END else np.inf)",
       f"{_STATISTICS}::test_interval_agrees_with_studentised_resampling_of_whole_clusters_in_a_loop"),
    _m("pairing lost", "metrics/statistics/intervals.py", "= first - second", "= first - np.roll(second, 1)",
       f"{_STATISTICS}::test_paired_difference_sees_what_two_intervals_cannot"),
    _m("jackknife of the groups without its factor", "metrics/statistics/intervals.py",
       "np.sqrt((g - 1) / g * ", "np.sqrt(1.0 / g * ",
       f"{_STATISTICS}::test_group_jackknife_is_the_textbook_one_and_its_interval_covers"),
    # significance
    _m("test over frames", "metrics/statistics/significance.py",
       "sums, _ = cluster_sums(first - second, clusters)",
       "sums, _ = cluster_sums(first - second, np.arange(len(first)))", _SIGNIFICANCE),
    _m("one-sided test", "metrics/statistics/significance.py", 'alternative="two-sided"', 'alternative="greater"',
       _SIGNIFICANCE),
    _m("Holm without its maximum", "metrics/statistics/significance.py",
       "np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))",
       "values[order] * np.arange(len(values), 0, -1)", _SIGNIFICANCE),
    _m("Bonferroni for Holm", "metrics/statistics/significance.py", "np.arange(len(values), 0, -1)", "len(values)",
       _SIGNIFICANCE),
    _m("false discovery rate of Yekutieli", "metrics/statistics/significance.py",
       'method="bh"', 'method="by"', _SIGNIFICANCE),
    # verification
    _m("ties count whole in the AUC", "metrics/embedders/verification.py", "below + 0.5 * negatives", "below + negatives",
       _VERIFICATION),
    _m("threshold from the own fold", "metrics/embedders/verification.py",
       "best_accuracy(s[f != name], y[f != name], rule)", "best_accuracy(s[f == name], y[f == name], rule)",
       _VERIFICATION),
    _m("TAR above the FAR", "metrics/embedders/verification.py", 'side="right") - 1]', 'side="right")]', _VERIFICATION),
    _m("standard error without the root", "metrics/embedders/verification.py",
       "np.std(shares, ddof=1) / np.sqrt(len(names))", "np.std(shares, ddof=1) / len(names)", _VERIFICATION),
    _m("photo numbers without zeros", "metrics/embedders/lfw.py", ":04d}", ":d}", _VERIFICATION),
    # smoothness
    _m("straight line for slerp", "metrics/embedders/slerp.py",
       "np.asarray(np.cos(turn)[..., None] * start[:, None] + np.sin(turn)[..., None] * direction[:, None])",
       "np.asarray(start[:, None] + np.tan(turn)[..., None] * direction[:, None])", _SLERP),
    _m("slerp by the difference near pi", "metrics/embedders/slerp.py", "np.where(near, v - u, v + u)", "v - u", _SLERP),
    _m("short list cut too short", "metrics/embedders/interpolation.py",
       "keep |= between >= max(between[one], between[other]) - slack", "keep |= between > np.inf", _SMOOTHNESS),
    _m("later faces only above", "metrics/embedders/interpolation.py", "(x < x[here]) & ~same", "(y > y[here]) & ~same",
       _SMOOTHNESS),
    _m("nearest at the wrong step", "metrics/embedders/interpolation.py", "row[1:-1]", "row[:-2]", _SMOOTHNESS),
    _m("end points count", "metrics/embedders/interpolation.py", 'if ends == "count" else', "if ends else", _SMOOTHNESS),
    _m("chord for arc", "metrics/embedders/smoothness.py",
       "return angle(a, b)[:, None]", "return _length(u - v)", _SMOOTHNESS),
    # video
    _m("off-by-one frame", "metrics/frames/temporal.py",
       "hit = known[place] == key - 1", "hit = known[place] >= key - 1", _TEMPORAL),
    _m("clips run into each other", "metrics/frames/temporal.py",
       "int(numbers.max()) - low + 2", "int(numbers.max()) - low + 1", _TEMPORAL),
    _m("next frame for the one before", "metrics/frames/temporal.py",
       "np.searchsorted(known, key - 1), len(known) - 1)\n    hit = known[place] == key - 1",
       "np.searchsorted(known, key + 1), len(known) - 1)\n    hit = known[place] == key + 1", _TEMPORAL),
    _m("flicker without the target's motion", "metrics/frames/temporal.py",
       "l2(swap - swap[before], target - target[before])", "l2(swap, swap[before])", _TEMPORAL),
    _m("turns in the wrong order", "metrics/frames/temporal.py",
       "((r1 * r0.inv()) * (q1 * q0.inv()).inv())", "((r0.inv() * r1) * (q0.inv() * q1).inv())", _TEMPORAL),
    # pictures
    _m("covariance with n", "metrics/pictures/distances.py", "np.sqrt(len(x) - 1)", "np.sqrt(len(x))", _QUALITY),
    _m("KID with its diagonal", "metrics/pictures/distances.py",
       "(_kernel_sum(x, x) - _diagonal(x)) / (n * (n - 1))", "_kernel_sum(x, x) / (n * n)", _QUALITY),
    _m("BGR pictures", "metrics/pictures/features.py", "np.array([0.299, 0.587, 0.114])", "np.array([0.114, 0.587, 0.299])",
       _QUALITY),
    _m("arrays longer than their bytes", "smoothswap/plumbing/unpickler.py",
       "if len(raw) != math.prod(sizes) * SIZES[kind]:", "if len(raw) > math.prod(sizes) * SIZES[kind]:", _PICKLED),
    _m("tensors beyond their storage", "smoothswap/plumbing/unpickler.py",
       "if count and (last >= storage.numel or count > storage.numel):", "if count and count > storage.numel:", _PICKLED),
    _m("inception sees 0..1", "metrics/pictures/features.py", "scaled / 127.5 - 1.0", "scaled / 255.0", _QUALITY),
    _m("swaps held against themselves", "metrics/pictures/sets.py", "distance(x[part], y[part])",
       "distance(x[part], x[part])", _SETS),
    _m("lost faces stay in the set", "metrics/pictures/sets.py", "np.asarray(usable & found)", "usable", _SETS),
    # columns named after a network
    _m("Arc-R of the target", "metrics/frames/table_1.py",
       "return relative(source, target)", "return relative(target, source)",
       _EVALUATION),
    _m("VGG-R of unit vectors", "metrics/frames/table_1.py",
       "return l2(getattr(sides, first)[reading], getattr(sides, second)[reading])",
       "return 1.0 - cosine_similarity(getattr(sides, first)[reading], getattr(sides, second)[reading])", _EVALUATION),
    _m("Pose HN in radians", "metrics/frames/table_1.py",
       'return geodesic(getattr(sides, side)["pose"], sides.target["pose"])',
       'return np.radians(geodesic(getattr(sides, side)["pose"], sides.target["pose"]))', _EVALUATION),
    # instruments and faces
    _m("BGR for the recogniser", "metrics/instruments/arcface.py",
       'crops[..., ::-1] if self._colour == "bgr" else crops', 'crops[..., ::-1] if self._colour == "rgb" else crops',
       "metrics/instruments/test_arcface.py"),
    _m("largest face by the smallest", "smoothswap/faces/choose.py",
       "max(faces, key=lambda face: face.area, default=None)", "min(faces, key=lambda face: face.area, default=None)",
       _DETECT),
    _m("union without the shared part", "smoothswap/faces/choose.py",
       "(b[2] - b[0]) * (b[3] - b[1]) - shared)", "(b[2] - b[0]) * (b[3] - b[1]))", _DETECT),
    _m("eyes exchanged", "smoothswap/faces/align.py",
       "[points[36:42].mean(0), points[42:48].mean(0),", "[points[42:48].mean(0), points[36:42].mean(0),", _ALIGN),
    _m("similarity may mirror", "smoothswap/faces/align.py",
       "np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])", "np.array([1.0, 1.0])", _ALIGN),
    # bench
    _m("even frames are the first", "smoothswap/media/video.py",
       "return [round(Fraction(i * (count - 1), k - 1)) for i in range(k)]", "return list(range(k))",
       "smoothswap/media/test_video.py"),
    _m("frames in a row from the end", "smoothswap/media/video.py", "start = max(0, (count - k) // 2)",
       "start = max(0, count - k)",
       "smoothswap/media/test_video.py::test_middle_indices_follow_each_other_around_the_middle"),
    _m("one cluster a direction", "bench/data/pairs.py",
       '"+".join(sorted((self.target_person, self.source_person)))', '"+".join((self.target_person, self.source_person))',
       "bench/data/test_ffpp.py"),
    _m("identity map ignored", "bench/data/ffpp.py", "return identity_map.get(name, name)", "return name",
       "bench/data/test_ffpp.py"),
)  # fmt: skip


def apply(mutant: Mutant, root: Path) -> None:
    """Change the file in the tree at root. Raises ValueError where the line is not there exactly once."""
    path = root / mutant.file
    text = path.read_text(encoding="utf-8")
    if (count := text.count(mutant.old)) != 1:
        raise ValueError(
            f"mutant {mutant.name!r} does not fit: {mutant.old!r} stands {count} times in {mutant.file}; "
            "write the line as it is now"
        )
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def tests_first(mutant: Mutant, record: dict[str, Any]) -> list[tuple[str, ...]]:
    """What to run, in this order, until something fails: the test that killed it last time, then all of its tests."""
    killer = record.get(mutant.name, {}).get("killer", "")
    known = killer and (ROOT / killer.partition("::")[0]).is_file()
    return [(killer,), mutant.tests] if known else [mutant.tests]


def run(mutant: Mutant, tree: Path, record: dict[str, Any]) -> tuple[bool, str]:
    """Whether its tests fail (killed), and the test that did it. The tree is as before afterwards."""
    path = tree / mutant.file
    before = path.read_text(encoding="utf-8")
    apply(mutant, tree)
    try:
        for tests in tests_first(mutant, record):
            killed, killer = fails(tests, tree)
            if killed:
                return True, killer
        return False, ""
    finally:
        path.write_text(before, encoding="utf-8")


def fails(tests: Sequence[str], tree: Path) -> tuple[bool, str]:
    """Whether pytest fails in the tree, and its first failing test. In a forked process, which has the libraries loaded."""
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            _child(tests, tree, output.fileno())
        code = _wait(child)
        output.seek(0)
        text = output.read()
    if code is None:
        return True, f"no end after {TIMEOUT} s"
    if code not in (0, 1, 2):  # 2: the mutant cannot even be imported
        raise RuntimeError(f"pytest could not run {' '.join(tests)}: {text}")
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)
    return code != 0, failed[0] if failed else ""


def _child(tests: Sequence[str], tree: Path, output: int) -> NoReturn:
    """Become pytest in the tree; never returns."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(tree)
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}
    os.environ.setdefault("SMOOTHSWAP_SHARED", str(ROOT.parent / "shared"))
    sys.dont_write_bytecode = True
    # The tree's packages and tests, and none that this process may have seen.
    sys.path[:] = [
        str(tree),
        *(p for p in sys.path if Path(p or ".").resolve() not in (ROOT, ROOT / "tests")),
    ]
    # On a busy machine a slow example would pass for a mutant that was noticed.
    hypothesis.settings.register_profile(
        "mutants", deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    hypothesis.settings.load_profile("mutants")
    code: int = 3
    try:
        code = int(pytest.main(["-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]))
    finally:
        sys.stdout.flush()
        os._exit(code)


def _wait(child: int) -> int | None:
    """Exit code of a child, None where it had to be killed for time."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def digest(mutant: Mutant) -> str:
    """Of the mutant, the file it changes and its tests: equal as long as its verdict cannot have changed by them."""
    files = {mutant.file, *(test.partition("::")[0] for test in mutant.tests)}
    parts = [repr(mutant), *((ROOT / file).read_text(encoding="utf-8") for file in sorted(files))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def copy_tree(tree: Path) -> None:
    tree.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / part)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python tests/mutants.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", nargs="+", metavar="WORD", help="mutants whose name holds one of these words"
    )
    parser.add_argument("--list", action="store_true", help="list them and stop")
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="JSON of verdicts, kept up to date: a run goes on where it was, and tries the test that killed a mutant first",
    )
    parser.add_argument(
        "--again", action="store_true", help="with --record: run those again that were killed"
    )
    options = parser.parse_args(argv)
    words = [word.lower() for word in options.only or [""]]
    chosen = [m for m in MUTANTS if any(word in m.name.lower() for word in words)]
    if not chosen:
        parser.error("no mutant has such a name; see --list")
    if options.list:
        for mutant in chosen:
            print(f"{mutant.name:44} {mutant.file:36} {' '.join(mutant.tests)}")
        return 0
    record: dict[str, Any] = {}
    if options.record and options.record.is_file():
        record = json.loads(options.record.read_text(encoding="utf-8"))
    done = [
        m.name
        for m in chosen
        if not options.again
        and (said := record.get(m.name))
        and said["killed"]
        and said["digest"] == digest(m)
    ]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        sound: set[str] = set()
        for mutant in [m for m in chosen if m.name not in done]:
            started = time.perf_counter()
            for test in [test for test in mutant.tests if test not in sound]:
                broken, line = fails([test], tree)
                if broken:
                    parser.error(f"the tests already fail without any mutant: {line}")
                sound.add(test)
            ready = time.perf_counter()
            killed, killer = run(mutant, tree, record)
            seconds = time.perf_counter() - ready
            record[mutant.name] = {
                "killed": killed,
                "killer": killer,
                "seconds": round(seconds, 1),
                "digest": digest(mutant),
            }
            if options.record:
                beside = options.record.with_suffix(".part")
                beside.write_text(json.dumps(record, indent=1), encoding="utf-8")
                beside.replace(options.record)
            word = "killed  " if killed else "SURVIVED"
            before = f" (tests without it {ready - started:.1f} s)" if ready - started > 0.1 else ""
            print(f"{word} {seconds:5.1f} s  {mutant.name}: {killer}{before}", flush=True)
    survived = [m.name for m in chosen if not record[m.name]["killed"]]
    known = f", {len(done)} of them known from {options.record}" if done else ""
    print(f"{len(chosen) - len(survived)} of {len(chosen)} killed{known}")
    for name in survived:
        print(f"SURVIVED {name}")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
