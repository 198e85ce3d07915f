"""Data sets: which clips and pairs there are, who is in them, and how their frames are read."""
