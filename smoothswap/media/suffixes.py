"""Endings of the names of files: what is taken for a picture and what for a video."""

from __future__ import annotations

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
PICTURES_OUT = (".jpg", ".jpeg", ".png", ".webp")
# What FFmpeg calls the container.
VIDEOS_OUT = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".ts", ".mpg", ".mpeg")
