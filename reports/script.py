"""The page's little script, and the policy that lets it run and nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files

from markupsafe import Markup


@lru_cache(maxsize=1)
def script() -> Markup:
    """The text of page.js, trusted: it is ours, and holds nothing of a result."""
    return Markup(files("reports").joinpath("templates/page.js").read_text(encoding="utf-8").strip())


def policy() -> str:
    """The content-security policy: no request of any kind, and no script but the one with this hash."""
    digest = base64.b64encode(hashlib.sha256(str(script()).encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
