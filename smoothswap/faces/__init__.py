"""Faces in and out: exact frame reading, detection and landmarks, alignment, pasting back.

A crop for any purpose is cut once from the original frame, never a crop of a crop.
Images are np.uint8 [h, w, 3] RGB; points are (x, y) in pixels, pixel centres at integers.
"""
