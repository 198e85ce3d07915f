"""What a page says of itself: which results it was made from, and a hash over its own text, so that an edit is seen.

    <meta name="results" content="MODEL SHA-256 of its results.json">     one a model
    <meta name="page" content="SHA-256 of the page with zeros in this place">

Nothing is signed: who makes a page again seals it again. bench.verify asks whether page and results still belong together.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass

BLANK = "0" * 64
_SEAL = re.compile(r'<meta name="page" content="([0-9a-f]{64})">')
_MADE_FROM = re.compile(r'<meta name="results" content="([^"]+) ([0-9a-f]{64})">')


@dataclass(frozen=True)
class Sealed:
    """What a page says of itself. made_from: model -> SHA-256 of its results.json; whole: its own hash holds."""

    made_from: dict[str, str]
    whole: bool


def seal(page: str) -> str:
    """A page whose blank seal is replaced by its hash.

    Args:
        page: With BLANK as its hash, or without a seal.

    Returns:
        The page, sealed.
    """
    digest = hashlib.sha256(page.encode("utf-8", "backslashreplace")).hexdigest()
    return page.replace(f'<meta name="page" content="{BLANK}">', f'<meta name="page" content="{digest}">', 1)


def read_seal(page: bytes) -> Sealed | None:
    """What a page says of itself.

    Args:
        page: Its bytes.

    Returns:
        The seal; None for a page without one, as older releases wrote.
    """
    text = page.decode("utf-8", "replace")
    found = _SEAL.search(text)
    if found is None:
        return None
    blank = page.replace(found.group(0).encode(), f'<meta name="page" content="{BLANK}">'.encode(), 1)
    whole = hashlib.sha256(blank).hexdigest() == found.group(1)
    return Sealed({html.unescape(name): sha256 for name, sha256 in _MADE_FROM.findall(text)}, whole)
