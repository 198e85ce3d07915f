"""What judges and models knew of a test's people before it, in words for tables and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from reports.fields import Seen
from reports.results import Results


def all_seen(results: Sequence[Results]) -> list[Seen]:
    """Of all models of a report, instruments first, each once."""
    found = dict.fromkeys(seen for one in results for seen in one.run.seen)
    return sorted(found, key=lambda seen: seen.role)


def sentence(results: Sequence[Results]) -> str:
    """The line under a table; "" where no result says anything.

    Args:
        results: The models of the table.

    Returns:
        Such as "Seen in training, of the people of this run: dlib unknown; anny 0 of 40; mine 3 of 40."
    """
    found = all_seen(results)
    if not found:
        return ""
    return f"Seen in training, of the people of this run: {'; '.join(map(str, found))}."


def warnings(results: Sequence[Results]) -> list[str]:
    """A sentence for everything that certainly knew people of the test.

    Args:
        results: The models of a run.

    Returns:
        Such as "the instrument judge was trained on 12 of the 40 people of this run: its numbers say little of others".
    """
    meaning = {
        "instrument": "it reads them better than it would others, so choose one that has not seen them",
        "model": "its numbers say little of people whom it does not know",
    }
    return [
        f"the {seen.role} {seen.who} was trained on {seen.seen} of the {seen.people} people of this run: "
        f"{meaning[seen.role]}"
        for seen in all_seen(results)
        if seen.seen
    ]
