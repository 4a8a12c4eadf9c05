"""Measure what products in bfloat16 change in the error rates of runs: `python benchmarks/bfloat16.py RUN...`.

Decodes dev and test of each run folder with its best weights, in float32 and in bfloat16.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asr.cli.progress import Steps
from asr.corpus.manifest import read_manifest
from asr.evaluation.split import decode, listen
from asr.experiment.run_folder import RunFolder
from asr.recogniser.loading import load
from asr.scoring.utterances import rates_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    print(f"{'recipe':28}{'split':6}{'rate':12}{'float32, %':>12}{'bfloat16, %':>12}{'other texts':>24}")
    for path in parser.parse_args().runs:
        for split in ("dev", "test"):
            compare(RunFolder(path), split)


def compare(run: RunFolder, split: str) -> None:
    config, recogniser = run.read_config(), load(run.path)
    utterances = read_manifest(run.data / f"{split}.jsonl")
    cache, recogniser = listen(recogniser, utterances, config.frames_folder)
    with Steps() as steps:
        found = []
        for bfloat16 in (False, True):
            prepared = recogniser.prepared(bfloat16)
            found.append(decode(prepared, utterances, cache, lambda done, total: steps(split, done, total)))
    other = sum(one.hypothesis.text != two.hypothesis.text for one, two in zip(*found, strict=True))
    exact, rounded = (rates_of([each.score(config.scoring.rates) for each in one]) for one in found)
    for name in exact:
        print(
            f"{config.recipe:28}{split:6}{name:12}{exact[name].percent:12.2f}{rounded[name].percent:12.2f}"
            f"{f'{other} of {len(utterances)}':>24}"
        )


if __name__ == "__main__":
    main()
