"""Import torchaudio such that it also works with a CPU build of torch; no other module imports it.

On Linux the torchaudio wheel is built against CUDA: beside a CPU build of torch, its compiled extension fails to load
(`OSError: libc10_cuda.so`). Filterbanks, MFCC, resampling and masks are plain torch and need no extension, so on
that error a stand-in for `torchaudio._extension` is put in place and the import is tried again. Only `forced_align` and
other compiled functions are then missing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

_EXTENSION = "torchaudio._extension"


def torchaudio_module(name: str = "torchaudio") -> ModuleType:
    """Import torchaudio or one of its modules, with or without its compiled extension.

    Args:
        name: `torchaudio` or a module in it, such as `torchaudio.functional`.

    Raises:
        ImportError: torchaudio is not installed.
    """
    try:
        importlib.import_module("torchaudio")
    except (OSError, RuntimeError):  # RuntimeError: built for another CUDA than torch
        _drop_half_imported()
        sys.modules[_EXTENSION] = _stand_in()
        importlib.import_module("torchaudio")
    return importlib.import_module(name)


def has_extension() -> bool:
    """Return whether torchaudio's compiled functions (`forced_align`) are available."""
    torchaudio_module()
    return bool(getattr(sys.modules[_EXTENSION], "_IS_TORCHAUDIO_EXT_AVAILABLE", False))


def _drop_half_imported() -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == "torchaudio"]:
        del sys.modules[module]


def _stand_in() -> ModuleType:
    """Return a module with the names of `torchaudio._extension` that torchaudio's Python code uses."""
    module: Any = ModuleType(_EXTENSION)
    module._IS_TORCHAUDIO_EXT_AVAILABLE = False
    module._IS_ALIGN_AVAILABLE = False
    module.fail_if_no_align = _fail_when_called
    return module  # type: ignore[no-any-return]


def _fail_when_called(function: Callable[..., Any]) -> Callable[..., Any]:
    def fail(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"torchaudio's compiled extension could not be loaded, so `{function.__name__}` is missing; install the"
            " torchaudio build that matches this torch"
        )

    fail.__name__, fail.__doc__ = function.__name__, function.__doc__
    return fail
