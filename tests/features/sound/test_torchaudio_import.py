from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.features.sound.torchaudio_import import has_extension, torchaudio_module

# A torchaudio in small: what matters is the order of its imports and what it asks of its extension.
PACKAGE = {
    "__init__.py": "from . import _extension\nfrom . import functional\n__version__ = 'small'\n",
    "_internal.py": "NAME = 'inside'\n",
    "functional.py": (
        "import torchaudio._internal\n"
        "NAME = torchaudio._internal.NAME\n"
        "from torchaudio._extension import fail_if_no_align\n"
        "def create_dct(): return 'dct'\n"
        "@fail_if_no_align\n"
        "def forced_align(x): return 'aligned'\n"
    ),
}
WORKING = "_IS_TORCHAUDIO_EXT_AVAILABLE = True\n_IS_ALIGN_AVAILABLE = True\ndef fail_if_no_align(f): return f\n"
BROKEN = "import torchaudio._internal\nraise {error}('libc10_cuda.so: cannot open shared object file')\n"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Put a small torchaudio with some `_extension.py` first on the path, and the real one back afterwards."""
    real = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torchaudio"}
    for name in real:
        del sys.modules[name]

    def write(extension: str) -> None:
        folder = tmp_path / "torchaudio"
        folder.mkdir()
        for name, text in {**PACKAGE, "_extension.py": extension}.items():
            (folder / name).write_text(text)
        monkeypatch.syspath_prepend(tmp_path)

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
        del sys.modules[name]
    sys.modules.update(real)


def test_a_working_torchaudio_is_used_as_it_is(install):
    install(WORKING)
    assert torchaudio_module().__version__ == "small"
    assert torchaudio_module("torchaudio.functional").forced_align(1) == "aligned"
    assert has_extension()


@pytest.mark.parametrize("error", ["OSError", "RuntimeError"])
def test_without_its_extension_the_python_parts_work(install, error):
    install(BROKEN.format(error=error))
    functional = torchaudio_module("torchaudio.functional")
    assert functional.create_dct() == "dct"
    assert not has_extension()
    with pytest.raises(RuntimeError, match="extension could not be loaded, so `forced_align` is missing; install"):
        functional.forced_align(1)
    assert torchaudio_module("torchaudio.functional") is functional  # not imported a second time


def test_a_missing_torchaudio_is_told(install, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchaudio", None)  # makes `import torchaudio` fail
    with pytest.raises(ImportError):
        torchaudio_module()


def test_the_real_one_has_what_the_features_need():
    assert torchaudio_module("torchaudio.functional").create_dct(13, 40, norm="ortho").shape == (40, 13)
    assert torchaudio_module("torchaudio.compliance.kaldi").mel_scale_scalar(700.0) == pytest.approx(781.17, abs=0.01)
