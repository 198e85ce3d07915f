"""What results.json says of the data, of each instrument, and of finished swaps before they were scored."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from reports.fields import Closed, Count, Name, Open


class DataInfo(Open):
    """What the frames came from: the data set's name, and the hash of its manifest where it has one."""

    name: Name
    manifest_sha256: str | None = None


class InstrumentInfo(Open):
    """family: networks of one recipe; by the part of the name before a colon when it is not stated.

    kin: families of the networks that its own training began from; who was trained with one of those shares them.
    """

    name: Name
    family: str | None = None
    kin: tuple[str, ...] = ()
    weights_sha256: str | None = None
    crop: JsonValue = None
    licence: str | None = None


class SwapsCheck(Closed):
    """What finished swaps looked like beside their targets outside of the faces, before they were scored.

    kind: fits, doubtful, cannot_tell, or wrong, which was then scored on demand. clips: how many were looked at.
    """

    kind: Literal["fits", "doubtful", "cannot_tell", "wrong"]
    text: str = Field(default="", max_length=2000)
    mend: str = Field(default="", max_length=200)
    clips: Count = 0
