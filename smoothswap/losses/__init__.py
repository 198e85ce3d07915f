"""The losses of Smooth-Swap as pure functions: the swapper's (Sec. 4.3, 4.4) and the embedder's (4.1)."""
