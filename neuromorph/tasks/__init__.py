"""Data sets, encodings and readouts."""
