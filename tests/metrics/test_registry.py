"""The registry: metrics of installed packages come in by an entry point, broken ones are named, and ours use that door."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from metrics import METRICS, evaluate
from metrics.docs import page
from metrics.registry import EMBEDDERS, GROUP, OURS, PICTURES, RegistryError, everything, ours
from metrics.spec import Metric
from tests.support import ROOT
from tests.support.scenes import sides

PLUG_IN = """
import numpy as np
from metrics import Metric

def glow(sides):
    return np.linalg.norm(sides.swap["shape"], axis=1)

METRIC = Metric(
    key="glow", label="Glow", group="Light", formula="|shape(swap)|", unit="glow", range=(0.0, float("inf")),
    higher_is_better=False, source="a test", description="Length of the swap's shape.", reads=("shape",),
    per_frame=glow, if_missing=lambda sides: np.full(len(sides), 9.0), missing="9",
)
METRICS = [METRIC]
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package with one module and one entry point for the length of a test."""

    def installed(code: str, value: str, name: str = "glow") -> None:
        module = value.partition(":")[0]
        (tmp_path / f"{module}.py").write_text(code)
        about = tmp_path / f"{module}-1.2.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n")
        (about / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, module, raising=False)
        everything.cache_clear()

    yield installed
    everything.cache_clear()


@pytest.mark.parametrize("name", ["METRIC", "METRICS"])
def test_a_metric_of_an_installed_package_is_scored_documented_and_carried_into_results(
    name: str, install: Install
) -> None:
    before = list(METRICS)
    install(PLUG_IN, f"glow_{name.lower()}:{name}")
    assert list(METRICS) == [*before, "glow"]
    s = sides(seed=2)
    value = evaluate(s, n_resamples=99)["glow"]
    np.testing.assert_allclose(value.per_frame, np.linalg.norm(s.swap["shape"], axis=1))
    assert (value.as_dict()["label"], value.as_dict()["group"]) == ("Glow", "Light")
    assert "## Light\n" in page(everything().values())
    assert "| `glow` | Glow |" in page(everything().values())
    assert "glow" not in ours()
    assert "`glow`" not in page()  # the committed page is of this package


@pytest.mark.parametrize(
    ("code", "value", "said"),
    [
        (
            "import no_such_module",
            "broken_a:METRICS",
            "ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("", "broken_b:METRICS", "AttributeError: module 'broken_b' has no attribute 'METRICS'"),
        ("METRICS = 3", "broken_c:METRICS", "TypeError: 'int' object is not iterable"),
        (
            "METRICS = ['pose']",
            "broken_d:METRICS",
            "holds a str, where Metric or PictureMetric of metrics.spec",
        ),
        ("raise SystemError('no licence')", "broken_e:METRICS", "SystemError: no licence"),
        (
            "from metrics.embedders.space import METRICS",
            "broken_f:METRICS",
            "holds a EmbedderMetric, where Metric or PictureMetric",
        ),
    ],
)
def test_a_broken_package_is_one_line_that_names_it_and_how_to_mend_it(
    code: str, value: str, said: str, install: Install
) -> None:
    install(code, value)
    with pytest.raises(RegistryError, match=re.escape(said)) as caught:
        list(METRICS)
    message = str(caught.value)
    package = value.partition(":")[0]
    assert f"entry point glow = '{value}' of the package {package} 1.2" in message
    assert "mend it or uninstall it (smoothswap.metrics expects module:object)" in message
    assert "\n" not in message


def test_a_command_refuses_a_broken_package_in_one_line(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.list import main

    install("import no_such_module", "broken_h:METRICS")
    assert main([]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(
        "error: the entry point glow = 'broken_h:METRICS' of the package broken_h 1.2 cannot be"
    )


def test_a_key_is_declared_once(install: Install) -> None:
    install(PLUG_IN.replace('key="glow"', 'key="pose"'), "twice:METRICS")
    with pytest.raises(
        RegistryError, match=r"of the package twice 1\.2 declares the metric 'pose', which the entry"
    ) as e:
        list(METRICS)
    assert "'metrics.frames.readings:METRICS' has declared already" in str(e.value)


def test_a_broken_package_harms_nothing_that_reads_our_own_metrics_only(install: Install) -> None:
    install("import no_such_module", "broken_g:METRICS")
    assert "pose" in ours()
    assert page()


def test_every_metric_of_ours_comes_through_the_same_door() -> None:
    assert {entry.group for entry in OURS} == {GROUP}
    listed = {spec.key for entry in OURS for spec in entry.load()}
    assert listed == set(ours())
    assert set(METRICS) | set(PICTURES) | set(EMBEDDERS) >= set(ours())
    for metric in ours().values():
        assert len([kind for kind in (METRICS, PICTURES, EMBEDDERS) if metric.key in kind]) == 1
        assert isinstance(metric, Metric) == (metric.key in METRICS)


def test_descriptions_name_functions_that_exist() -> None:
    for metric in ours().values():
        for path in re.findall(r"metrics(?:\.\w+)+", metric.description):
            module, _, name = path.rpartition(".")
            found = __import__(module, fromlist=[name])
            assert hasattr(found, name), f"{metric.key}: {path} is not there"


def test_groups_stand_by_their_least_order_and_metrics_by_their_own() -> None:
    metrics = list(ours().values())
    groups = list(dict.fromkeys(metric.group for metric in metrics))
    assert groups[:3] == ["Identity change", "Leaving the target", "Attribute keeping"]
    assert [m.group for m in metrics] == [g for g in groups for m in metrics if m.group == g]
    for group in groups:
        orders = [m.order for m in metrics if m.group == group]
        assert orders == sorted(orders)
        labels = [m.label for m in metrics if m.group == group]
        assert len(set(labels)) == len(labels)


def test_our_own_metrics_are_read_without_torch() -> None:
    program = (
        "import sys; from metrics.registry import ours; from metrics import evaluate; assert len(ours()) > 40\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'onnxruntime', 'cv2', 'dlib', 'reports')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "[]"


def test_every_module_that_declares_metrics_is_listed() -> None:
    root = Path(__file__).parents[2]
    declaring = {
        ".".join(path.relative_to(root).with_suffix("").parts)
        for path in (root / "metrics").rglob("*.py")
        if re.search(r"^METRICS\b.*= \(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    absent = sorted(declaring - {entry.module for entry in OURS})
    assert not absent, (
        f"{', '.join(absent)} declare METRICS that nobody finds: list them in OURS of metrics/registry.py"
    )
    assert len(declaring) == len(OURS)
