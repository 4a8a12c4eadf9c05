"""Corpora that are made on the spot: a folder that is whole or not there, and its card with what it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.errors import DataError
from asr.files import STALE_SECONDS, explained, locked, replace_folder, staging, sweep
from asr.plain_values import PlainFields
from asr.resources import user_cache
from data_prep.roots import given_path

CARD = "corpus.json"


def folder(root: str, name: str, identity: PlainFields) -> Path:
    """The folder of a corpus with this identity: `root`, or a folder of its own in the user's cache."""
    if root:
        return given_path(root)
    return user_cache().absolute() / f"{name}-{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Embedded:
    """A corpus and its folder.

    Attributes:
        what: the corpus in messages, `embedded corpus`.
        root: its folder.
        identity: everything the corpus depends on, plain JSON; its card has it as `configuration`.
        listed: the entry of the card that holds the listing of the complete corpus.
        listing: describes the files of a folder, such as their sizes.
    """

    what: str
    root: Path
    identity: PlainFields
    listed: str
    listing: Callable[[Path], Any]

    def is_complete(self) -> bool:
        """Whether the corpus stands in its folder, with all files of the size they were written with.

        A damaged corpus in the user's cache counts as missing. A folder that the user named may hold their own files.

        Raises:
            DataError: the folder, which the user named, holds something else; it will not be overwritten.
        """
        root = self.root
        with explained(root, done="read", kept=""):
            if not root.exists() or (root.is_dir() and not any(root.iterdir())):
                return False
        made = self._card()
        if made is None or made["configuration"] != self.identity:
            if root.parent == user_cache().absolute():
                return False
            raise DataError(self._refusal(made))
        with suppress(OSError):
            return bool(made[self.listed] == self.listing(root))
        return False

    def _card(self) -> Mapping[str, Any] | None:
        """Read the card; None if it is missing or damaged."""
        try:
            made = json.loads((self.root / CARD).read_bytes())
            return made if isinstance(made["configuration"], dict) and self.listed in made else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _refusal(self, made: Mapping[str, Any] | None) -> str:
        if made is None:
            return (
                f"{self.root} holds something else than the {self.what} (no readable {CARD}); "
                "give root= a new or empty folder"
            )
        changed = [key for key, value in self.identity.items() if made["configuration"].get(key) != value]
        return (
            f"{self.root} holds an {self.what} with another {', '.join(changed) or 'configuration'}; "
            "give root= another folder, or delete this one to make it anew"
        )

    def make(self, fill: Callable[[Path], None]) -> None:
        """Make the corpus beside its folder and rename it when it is complete; what stood there before is replaced.

        Several processes may do so at once: the corpus of one of them stays.

        Args:
            fill: writes everything, the card last, into the folder it is given.

        Raises:
            DataError: it cannot be written.
        """
        sweep(self.root.parent, STALE_SECONDS)
        with staging(self.root) as place:
            fill(place)
            with locked(self.root.parent):
                if not self.is_complete():  # otherwise another process was faster
                    replace_folder(place, self.root)
