"""Connectionist temporal classification: the loss, and the guard that finds utterances it cannot be computed for."""
