"""Picture quality: features of whole pictures and distances between sets of them."""
