"""Pair lists: which picture's face goes into which, line by line, as a data set (pair_list), and how a list is read (table)."""
