"""Corpora that are made on the spot: a folder that is whole or not there, and that tells what it was made from."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.errors import DataError
from asr.files import STALE_SECONDS
from asr.resources import user_cache
from data_prep.roots import given_path

CARD = "corpus.json"


def folder(root: str, name: str, identity: Mapping[str, Any]) -> Path:
    """Where a corpus of this identity stands: its root, or a folder of its own in the user's cache."""
    if root:
        return given_path(root)
    return user_cache() / f"{name}-{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Embedded:
    """A corpus and its folder.

    Attributes:
        what: the corpus in messages, `embedded corpus`.
        root: its folder.
        identity: all that it depends on, plain JSON; stands in its card as `configuration`.
        listed: the card's entry that `listing` gave when the corpus was made.
        listing: tells of the files in a folder what must not change.
    """

    what: str
    root: Path
    identity: Mapping[str, Any]
    listed: str
    listing: Callable[[Path], Any]

    def is_complete(self) -> bool:
        """Whether the corpus stands in its folder, with all files of the size they were written with.

        Raises:
            DataError: the folder holds something else, which will not be overwritten.
        """
        root = self.root
        if not root.exists() or (root.is_dir() and not any(root.iterdir())):
            return False
        try:
            made = json.loads((root / CARD).read_text(encoding="utf-8"))
            identity, listing = made["configuration"], made[self.listed]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(
                f"{root} holds something else than the {self.what} (no readable {CARD}); "
                "give root= a new or empty folder"
            ) from error
        if identity != self.identity:
            changed = [key for key, value in self.identity.items() if identity.get(key) != value]
            raise DataError(
                f"{root} holds an {self.what} with another {', '.join(changed)}; "
                "give root= another folder, or delete this one to make it anew"
            )
        return bool(listing == self.listing(root))

    def make(self, fill: Callable[[Path], None]) -> None:
        """Make the corpus beside its folder and rename it when it is complete; what stood there before is replaced.

        Args:
            fill: writes everything, the card last, into the folder it is given.

        Raises:
            DataError: it cannot be written.
        """
        root = self.root
        try:
            root.parent.mkdir(parents=True, exist_ok=True)
            sweep_beside(root)
            place = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
            try:
                fill(place)
                if root.exists():
                    shutil.rmtree(root)
                place.chmod(0o755)
                place.rename(root)
            finally:
                shutil.rmtree(place, ignore_errors=True)
        except OSError as error:
            if not self.is_complete():  # otherwise another process was faster
                raise DataError(f"the {self.what} cannot be written to {root}: {error.strerror or error}") from error


def sweep_beside(root: Path) -> None:
    """Remove what a killed process left half made a day ago or earlier."""
    for left in root.parent.glob(f".{root.name}.*"):
        if left.is_dir() and left.stat().st_mtime < time.time() - STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
