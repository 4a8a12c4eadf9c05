"""Decode a split of a corpus and say how often the result is wrong."""
