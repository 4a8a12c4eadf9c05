"""Corpora on disk to manifests: one module a corpus, each with a `Config` and `prepare(config)`."""

from data_prep.corpora import load_reader, read_corpus, readers, write_corpus

__all__ = ["load_reader", "read_corpus", "readers", "write_corpus"]
