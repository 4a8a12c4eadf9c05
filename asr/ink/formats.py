"""Names and file suffixes of the supported ink formats."""

from __future__ import annotations

FORMATS = "InkML, IAM-OnDB XML, Xournal++ (.xopp), SVG, JSON, UNIPEN or an ink cache (.inks)"
SUFFIXES = frozenset([".inkml", ".xml", ".xopp", ".svg", ".json", ".dat", ".unp"])
"""Suffixes of files with one ink each, in lower case. `read_ink` detects these formats from the content."""
CACHE_SUFFIX = ".inks"
"""Suffix of an ink cache, which holds many inks."""
