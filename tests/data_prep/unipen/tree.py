"""Small UNIPEN releases, written for the tests."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path


def strokes(*xs: int) -> str:
    """Pen-downs of two points each, every one lifted."""
    return "".join(f".PEN_DOWN\n{x} 1\n{x} 2\n.PEN_UP\n" for x in xs)


def ink_file(writer: str, *xs: int) -> str:
    """What stands beneath `include/`."""
    return f".WRITER_ID {writer}\n.COORD X Y\n{strokes(*xs)}"


RELEASE = {
    "data/6/aaa/one.dat": '.VERSION 1.0\n.INCLUDE aaa/one.dat\n.SEGMENT WORD 0-1 OK "One"\n.SEGMENT WORD 1 BAD "x"\n'
    '.SEGMENT WORD 2 ? "Two"\n',
    "data/6/bbb/two.dat": '.INCLUDE bbb/two.doc\n.INCLUDE bbb/two.dat\n.SEGMENT WORD 0 GOOD "Three"\n',
    "data/6/ccc/three.dat": '.INCLUDE ccc/three.dat\n.SEGMENT WORD 0 ? "Four"\n',
    "data/6/att/att0/41412304.dat": '.INCLUDE att/data/att0/41412304.dat\n.SEGMENT WORD 0 ? "gone"\n',
    "data/8/aaa/one.dat": '.INCLUDE aaa/one.dat\n.SEGMENT TEXT 0-2 OK "One Two"\n',
    "data/8/bbb/two.dat": '.INCLUDE bbb/two.dat\n.SEGMENT TEXT 0 OK "Three"\n',
    "include/aaa/one.dat": ink_file("Writer_A", 1, 2, 3),
    "include/bbb/two.doc": ".DATA_ID x\n.COMMENT none\n",
    "include/bbb/two.dat": ink_file("writer_b", 4),
    "include/ccc/three.dat": ".INCLUDE ../info.doc\n" + ink_file("writer_c", 5),
    "include/info.doc": ".X_POINTS_PER_MM 10\n.Y_POINTS_PER_MM 10\n",
}
"""Of `aaa`, `bbb` and `ccc`, one writer each."""


def write_folder(root: Path, files: Mapping[str, str] = RELEASE) -> Path:
    """The release as a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
    return root


def write_zip(path: Path, files: Mapping[str, str] = RELEASE, method: int = zipfile.ZIP_LZMA, prefix: str = "") -> Path:
    """The release as a zip file, its members beneath `prefix`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(prefix + name, text.encode("latin-1"))
    return path
