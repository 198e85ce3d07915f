"""What the four packages stand on and none is about.

Files and folders written whole or not at all, weights of strangers read as data, names that stay in their folder, and how
a command ends.

Imports none of them, and nothing but the standard library (`tensors` alone wants torch).
"""
