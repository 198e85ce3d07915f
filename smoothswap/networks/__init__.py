"""The networks of Smooth-Swap: generator (Sec. 4.2), injection, discriminator (4.3), embedder (4.1)."""
