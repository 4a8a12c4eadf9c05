"""The formats of ink that are read, and the names that such files have."""

from __future__ import annotations

FORMATS = "InkML, IAM-OnDB XML, Xournal++ (.xopp), SVG, JSON, UNIPEN or an ink cache (.inks)"
SUFFIXES = frozenset([".inkml", ".xml", ".xopp", ".svg", ".json", ".dat", ".unp"])
"""Names that files of ink have, in small letters; `read_ink` itself goes by the content. Ink caches hold many inks."""
CACHE_SUFFIX = ".inks"
