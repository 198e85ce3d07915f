"""The record of a protocol in results.json: its rules by name, and what follows from them."""

from __future__ import annotations

from pydantic import Field

from reports.fields import Name, Open, Sha256

FOLLOWS = ("hash", "name", "identity_map_sha256")
"""What stands beside the protocol's rules and follows from them."""


class ProtocolInfo(Open):
    """Every rule of the protocol, with the hash over all of them.

    name: under which these rules are known (bench.ffpp.presets); None: no name. identity_map_sha256: of the map of people
        who appear twice; None: there is none, or the results do not say.
    """

    hash: str = Field(min_length=1, max_length=128)
    name: Name | None = None
    identity_map_sha256: Sha256 | None = None
