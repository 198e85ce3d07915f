"""Architectures of published networks, under their authors' own key names, so that their weights load key by key."""
