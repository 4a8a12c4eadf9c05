"""Names of the engines, in a module that imports none of them."""

from __future__ import annotations

AUTO = "auto"
NAMES = (AUTO, "numpy", "torch", "onnx")
"""The names that a user can give: the engines, and `auto`, which chooses by the number of utterances."""

MANY = 100
"""The number of utterances from which it pays to load torch and the compiled kernels, and to work in batches."""
