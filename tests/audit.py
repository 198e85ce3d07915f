"""Known holes in what is installed: `make audit`.

    python tests/audit.py            skips, with the reason, where the tool or its database cannot be reached
    python tests/audit.py --strict   fails there too

The tool is pip-audit, which asks the Python Packaging Advisory Database.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from typing import Any

SECONDS = 120
EXIT_OK, EXIT_HOLES, EXIT_SKIPPED = 0, 1, 3


def holes(report: dict[str, Any]) -> list[str]:
    """A line for each known hole of pip-audit's report: package, version, the hole, and what mends it."""
    lines = []
    for package in report["dependencies"]:
        for hole in package.get("vulns", ()):
            mended = ", ".join(hole.get("fix_versions") or ()) or "no release yet"
            lines.append(f"{package['name']} {package['version']}: {hole['id']}, mended by {mended}")
    return lines


def audited() -> tuple[list[str], str]:
    """(the holes, why nothing was asked): one of the two is empty."""
    if importlib.util.find_spec("pip_audit") is None:
        return [], "pip-audit is not installed (pip install 'smoothswap-bench[dev]')"
    command = [sys.executable, "-m", "pip_audit", "--skip-editable", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [*command, "--format", "json", "--timeout", "15"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [], f"the database did not answer in {SECONDS} s"
    try:
        report = json.loads(done.stdout)
        unknown = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
        if unknown and len(unknown) == len(report["dependencies"]):
            return [], "the database knows none of the packages"
        if unknown:
            print(f"audit: not in the database: {', '.join(unknown)}")
        return holes(report), ""
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no report"])[-1]
        return [], f"pip-audit gave no report ({last[:200]})"


def main(words: list[str] | None = None) -> int:
    """Print what was found; the exit code."""
    parser = argparse.ArgumentParser("python tests/audit.py", description=__doc__.split("\n")[0])
    parser.add_argument("--strict", action="store_true", help="fail where nothing could be asked")
    strict = parser.parse_args(words).strict
    found, skipped = audited()
    if skipped:
        print(f"audit: SKIPPED, {skipped}")
        return EXIT_SKIPPED if strict else EXIT_OK
    for line in found:
        print(f"audit: {line}")
    print(f"audit: {len(found)} known holes")
    return EXIT_HOLES if found else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
