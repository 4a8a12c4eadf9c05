"""Corpora on disk to utterances: one module a corpus, or a package where it is large, with `Config` and `prepare`."""

from data_prep.corpora import load_corpus, load_reader, read_corpus, readers

__all__ = ["load_corpus", "load_reader", "read_corpus", "readers"]
