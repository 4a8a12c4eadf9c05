"""Frames from pen strokes."""
