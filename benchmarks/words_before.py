"""Time words of the version before recognition without torch; `recognition.py --before` starts it with its Python.

    python words_before.py MODEL INKS.json ROUNDS SIZE

INKS.json is a list of inks, each as `asr.ink.json_ink` describes; SIZE inks are recognised at a time. Prints JSON: for
each engine the processor seconds of each round over all inks, and their texts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asr
from asr.ink.json_ink import ink_of_mapping


def main() -> None:
    model, path, rounds, size = sys.argv[1:]
    inks = [ink_of_mapping(one) for one in json.loads(Path(path).read_text())]
    runs = {name: transcribing(one, inks, int(size)) for name, one in recognisers(model).items()}
    texts = {name: run() for name, run in runs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(int(rounds)):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    print(json.dumps({name: {"seconds": seconds[name], "texts": texts[name]} for name in runs}))


def recognisers(model: str) -> dict[str, Any]:
    """Return the recognisers that this machine can prepare, by the names of engines in `every_engine`."""
    found: dict[str, Any] = {"torch": asr.load(model)}
    for name, bfloat16 in (("torch, prepared", False), ("torch, prepared in bfloat16", True)):
        one: Any = asr.load(model)
        if one.prepare(bfloat16):  # that version changes the recogniser itself
            found[name] = one
    return found


def transcribing(recogniser: Any, inks: list[Any], size: int) -> Callable[[], list[str]]:
    def run() -> list[str]:
        if size == 1:
            return [recogniser.transcribe(one).text for one in inks]
        groups = [inks[at : at + size] for at in range(0, len(inks), size)]
        return [one.text for group in groups for one in recogniser.transcribe(group)]

    return run


if __name__ == "__main__":
    main()
