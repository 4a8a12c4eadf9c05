"""Decode a split of a corpus, measure error rates, and tune decoders."""
