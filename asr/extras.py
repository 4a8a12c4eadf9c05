"""Optional packages: whether an installation has them, and what to say where one is missing.

`pip install ctc-asr` brings what recognising and scoring need. Training, ONNX files and plots need more: the extras.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from asr.errors import MissingExtra

EXTRAS: dict[str, tuple[str, ...]] = {
    "train": (
        "torch", "torchaudio", "hydra", "omegaconf", "numba", "llvmlite", "scipy", "tensorboard", "librosa", "jiwer",
        "espeakng_loader", "HersheyFonts",
    ),
    "onnx": ("onnx", "onnxruntime"),
    "plot": ("matplotlib",),
}  # fmt: skip
"""The packages of each extra, by the name under which they are imported."""


def require(*packages: str, what: str) -> None:
    """Raise a MissingExtra where a package is not installed. Nothing is imported.

    Args:
        packages: by the names under which they are imported.
        what: needs them: a command, a kind of file, an option.

    Raises:
        MissingExtra: names the first that is missing, and the line that installs it with its extra.
    """
    for package in packages:
        if not installed(package):
            raise MissingExtra(f"{what} needs {package}; install it: {_line(package)}")


def installed(package: str) -> bool:
    """Whether a package can be imported."""
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def explained(error: ModuleNotFoundError) -> MissingExtra | None:
    """Return what to say of an import that failed; None where no extra brings the module."""
    package = (error.name or "").partition(".")[0]
    if _extra_of(package) is None or installed(package):
        return None
    command = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "this"
    return MissingExtra(f"{command} needs {package} for what was asked; install it: {_line(package)}")


def _line(package: str) -> str:
    return f"pip install 'ctc-asr[{_extra_of(package)}]'"


def _extra_of(package: str) -> str | None:
    return next((extra for extra, packages in EXTRAS.items() if package in packages), None)
