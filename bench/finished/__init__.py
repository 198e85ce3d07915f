"""Finished swaps held against the clips that they are named for, by what a swap leaves alone."""
