"""From a frame to readings: the face, the crop that each instrument declares, and the pool of worker processes."""
