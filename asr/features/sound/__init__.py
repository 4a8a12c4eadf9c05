"""Frames from recordings."""
