"""Training of the embedder and of the swapper: the loop that both share, how a run begins, what it writes."""
