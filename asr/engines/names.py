"""What engines are called, known without importing one."""

from __future__ import annotations

AUTO = "auto"
NAMES = (AUTO, "numpy", "torch", "onnx")
"""What may be asked for: the engines, and `auto`, which chooses by the work."""

MANY = 100
"""Utterances from which on it pays to load torch and the compiled kernels, and to recognise them in batches."""
