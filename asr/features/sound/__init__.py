"""Compute frames from recordings, and augment recordings."""
