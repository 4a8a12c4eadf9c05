"""Provenance of a run: command, versions, commit, machine, and a checksum of its utterances."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from asr.corpus.utterance import Utterance
from asr.evaluation.result import Changes, DataIdentity, Environment, changes
from asr.plain_values import optional, text, texts, whole
from asr.version import __version__


@dataclass(frozen=True)
class Provenance:
    """Command, versions and machine of a process.

    Attributes:
        command: the command line, without `run_dir=` and `cache_dir=`.
        commit: the commit of the checkout; `unknown` for an installed package.
        python, torch, ctc_asr: versions.
        platform: the operating system.
        cores: the number of processor cores of the machine; None if unknown.
        threads: the number of threads that torch uses.
    """

    command: str
    commit: str
    python: str
    torch: str
    ctc_asr: str
    platform: str
    cores: int | None
    threads: int

    @classmethod
    def now(cls) -> Provenance:
        """Describe this process."""
        import torch  # imported here: other parts of this module work without torch

        words = [Path(sys.argv[0]).name, *(word for word in sys.argv[1:] if not _is_place(word))]
        return cls(
            command=shlex.join(words),
            commit=commit(),
            python=platform.python_version(),
            torch=torch.__version__,
            ctc_asr=__version__,
            platform=platform.platform(),
            cores=os.cpu_count(),
            threads=torch.get_num_threads(),
        )

    @property
    def environment(self) -> Environment:
        """The part that a result file reports."""
        return Environment(self.python, self.torch, self.ctc_asr, self.cores, self.threads)


@dataclass(frozen=True)
class RunStart:
    """Record of the start of a run: the content of `environment.json`.

    Attributes:
        provenance: the process that began the run.
        seed: the seed of the run.
        options: the command-line options that change the recipe.
        later: the changed values, for each time that the run was resumed with another commit or other versions.
    """

    provenance: Provenance
    seed: int
    options: tuple[str, ...] = ()
    later: tuple[Changes, ...] = ()

    def with_changes(self, now: Provenance) -> RunStart:
        """Return the record with the values that changed since the start, if they are not recorded yet."""
        before, after = asdict(self.provenance), asdict(now)
        changed = {name: after[name] for name in before if name != "command" and after[name] != before[name]}
        return replace(self, later=(*self.later, changed)) if changed and changed not in self.later else self

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for `environment.json`."""
        values = asdict(self.provenance) | {"seed": self.seed, "options": list(self.options)}
        return values | ({"later": [dict(one) for one in self.later]} if self.later else {})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunStart:
        """Read the values that `to_dict` returned.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or invalid.
        """
        provenance = Provenance(
            **{name: text(values[name]) for name in ("command", "commit", "python", "torch", "ctc_asr", "platform")},
            cores=optional(whole, values["cores"]),
            threads=whole(values["threads"]),
        )
        seed = whole(values["seed"], least=-(2**53))
        later = tuple(changes(one) for one in values.get("later", ()))
        return cls(provenance, seed, texts(values.get("options", ())), later)


def fingerprint(utterances: Sequence[Utterance]) -> DataIdentity:
    """Return the number of utterances and a SHA-256 of their ids, speakers and transcripts; paths do not count."""
    lines = "".join(
        json.dumps([one.id, one.speaker, one.text, one.labels], ensure_ascii=False) + "\n" for one in utterances
    )
    return DataIdentity(len(utterances), hashlib.sha256(lines.encode()).hexdigest())


def _is_place(word: str) -> bool:
    """Return whether a word of the command line only names a folder to write to, which does not affect results."""
    return word.startswith(("run_dir=", "cache_dir="))


def commit() -> str:
    """Return the commit of this package's checkout, with `+` if tracked files were changed; otherwise `unknown`."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():  # an installed package; a repository around it is another project
        return "unknown"

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
