"""Pair lists, whose lines say which picture's face goes into which: reading one (table), and as a data set (pair_list)."""
