"""Compare the error rates of all pretrained models before and after a change: `python benchmarks/same_rates.py`.

    python benchmarks/same_rates.py --python OLD/bin/python --save old.json   # the package of another environment
    python benchmarks/same_rates.py --against old.json                        # this one; a table of both

`asr-evaluate` scores each model on the test set of its card, in a process of its own: on the embedded corpora, and on
AN4, speechocean762 and UNIPEN if they are below `--data`. Run folders are scored on their own manifests. Exits with
status 1 if a rate differs by more than 0.05 points.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TOLERANCE = 0.05  # percentage points of an error rate
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COMMAND = "from asr.cli.evaluate import main; main()"
Rates = dict[str, float]


@dataclass(frozen=True)
class Scored:
    """A model and the utterances that it is scored on, as arguments of `asr-evaluate --on`."""

    name: str
    model: str
    words: tuple[str, ...]
    needs: Path | None = None  # a corpus that must be on disk

    @property
    def missing(self) -> bool:
        return self.needs is not None and not self.needs.exists()


def main() -> None:
    given = arguments()
    found: dict[str, Rates] = {}
    for one in scored(given.data, given.runs):
        if given.only and one.name not in given.only:
            continue
        if one.missing:
            print(f"{one.name}: not scored, there is no {one.needs}", file=sys.stderr)
            continue
        start = time.perf_counter()
        found[one.name] = rates(one, given.python)
        print(f"{one.name}: {time.perf_counter() - start:.0f} s, {found[one.name]}", file=sys.stderr, flush=True)
        if given.save:
            given.save.write_text(json.dumps(found, indent=1) + "\n")
    if given.against:
        sys.exit(compare(json.loads(given.against.read_text()), found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds an4, speechocean762, unipen.zip")
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="run folders to score, too")
    parser.add_argument("--only", nargs="*", help="names of models and run folders; all")
    parser.add_argument("--python", default="", help="the interpreter of the environment to score; this one")
    parser.add_argument("--save", type=Path, help="write the rates into this file")
    parser.add_argument("--against", type=Path, help="rates of another version, as --save writes them")
    return parser.parse_args()


def scored(data: Path, runs: list[Path]) -> list[Scored]:
    an4, speech, unipen = data / "an4", data / "speechocean762", data / "unipen.zip"
    return [
        Scored("an4", "an4", ("an4", f"root={an4}"), an4),
        Scored("quickstart_pen", "quickstart_pen", ("hershey",)),
        Scored("quickstart", "quickstart", ("espeak", "train=2400", "train_speakers=150")),
        Scored("english_phones", "english_phones", ("speechocean762", f"root={speech}"), speech),
        *(Scored(run.name, str(run.resolve()), (str(run.resolve() / "manifest"),)) for run in runs),
        Scored("unipen_words", "unipen_words", ("unipen", f"root={unipen}"), unipen),
        Scored("unipen", "unipen", ("unipen", f"root={unipen}"), unipen),
    ]


def rates(one: Scored, python: str) -> Rates:
    """Return the test error rates in percent by name."""
    environment = dict(os.environ)
    if python:
        environment.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as out:
        words = [one.model, "--on", *one.words, "--split", "test", "--out", out]
        subprocess.run(
            [python or sys.executable, "-c", COMMAND, *words],
            check=True, env=environment, cwd="/" if python else None, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (path,) = Path(out).glob("*.json")
        measured = json.loads(path.read_text())["splits"]["test"]["rates"]
    return {name: rate["percent"] for name, rate in measured.items()}


def compare(before: dict[str, Rates], after: dict[str, Rates]) -> int:
    """Print both sides; return 1 if they differ."""
    print("| model | rate | before, % | after, % |\n|---|---|---|---|")
    differs = False
    for name in after:
        for rate, percent in after[name].items():
            old = before.get(name, {}).get(rate)
            same = old is not None and abs(old - percent) <= TOLERANCE
            differs |= not same
            print(f"| `{name}` | `{rate}` | {'none' if old is None else f'{old:.2f}'} | {percent:.2f} |")
    print("\nThe rates differ." if differs else f"\nAll within {TOLERANCE} points.")
    return int(differs)


if __name__ == "__main__":
    main()
