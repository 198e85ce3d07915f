"""Among whom ID retrieval searched, as results.json keeps it. All of it is optional: older results do not say."""

from __future__ import annotations

from pydantic import Field

from reports.fields import Closed, Count, Interval, Measured


class GalleryInfo(Closed):
    """The real faces of a run: readable frames of original clips.

    people: whose faces they are, after the identity map. size: people that each frame is searched among where the protocol
        asks for fewer; None: all of them.
    """

    people: Count
    clips: Count
    frames: Count
    size: Count | None = None

    @property
    def searched(self) -> int:
        """People that each frame is searched among."""
        return self.people if self.size is None else min(self.size, self.people)

    @property
    def said(self) -> str:
        """It in words.

        Examples:
            >>> GalleryInfo(people=997, clips=1000, frames=9989).said
            '9,989 frames of 997 people in 1,000 clips'
        """
        of = f"{self.frames:,} frames of {self.people:,} people in {self.clips:,} clips"
        return of if self.size is None else f"{of}, {self.searched:,} people for each swap, by lot"


class GalleryPoint(Closed):
    """A metric among so many people: its mean over all galleries that could be drawn, the wanted person in each."""

    people: Count = Field(ge=1)
    value: Measured
    ci95: Interval = None
