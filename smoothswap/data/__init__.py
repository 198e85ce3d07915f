"""Training faces: from folders of photos to aligned crops, kept, drawn and read."""
