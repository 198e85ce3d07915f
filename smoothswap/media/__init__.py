"""Pictures and videos: read exactly, written whole or not at all."""
