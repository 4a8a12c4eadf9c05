"""Readers of corpora: one module (or package) per corpus, with a dataclass `Config` and a function `prepare`."""

from data_prep.corpora import load_corpus, load_reader, read_corpus, readers

__all__ = ["load_corpus", "load_reader", "read_corpus", "readers"]
