"""python -m bench.embedders: ArcFace against the smooth embedder on the same people and pairs (Sec. 5.4, 5.5)."""
