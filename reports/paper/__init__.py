"""What the Smooth-Swap paper printed, quoted: never ranked with what was measured here."""
