"""Metrics of swapped frames: ID retrieval, the columns of Table 1, steadiness over time, errors against the truth."""
