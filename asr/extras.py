"""Optional packages: check whether they are installed, and explain how to install a missing one.

`pip install ctc-asr` installs what recognising and scoring need. Training, ONNX files and plots need the extras.
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
"""Import names of the packages that each extra installs."""


def require(*packages: str, what: str) -> None:
    """Check that packages are installed, without importing them.

    Args:
        packages: their import names; each belongs to one of `EXTRAS`.
        what: the thing that needs them, which begins the message: a command, a kind of file, an option.

    Raises:
        MissingExtra: a package is not installed; the message names the first such one and the command to install it.
    """
    for package in packages:
        if not installed(package):
            raise MissingExtra(f"{what} needs {package}; install it: {_install_command(package)}")


def installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it.

    >>> installed("json"), installed("no_such_package")
    (True, False)
    """
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def explained(error: ModuleNotFoundError) -> MissingExtra | None:
    """Convert a failed import into a MissingExtra; return None if no extra installs the module."""
    package = (error.name or "").partition(".")[0]
    if _extra_of(package) is None or installed(package):
        return None
    command = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "this"
    return MissingExtra(f"{command} needs {package} for these options; install it: {_install_command(package)}")


def _install_command(package: str) -> str:
    return f"pip install 'ctc-asr[{_extra_of(package)}]'"


def _extra_of(package: str) -> str | None:
    return next((extra for extra, packages in EXTRAS.items() if package in packages), None)
