"""`asr-evaluate`: error rates of a run, or of any system's transcripts."""

from __future__ import annotations

import argparse
from pathlib import Path

from asr.cli.command import add_debug, add_plugin, run
from asr.errors import ConfigError
from asr.files import obstacle


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    given = _parser().parse_args()
    kinds = {"rate": "trn files"} | dict.fromkeys(("split", "out", "by", "plugin"), "a run")
    for name, kind in kinds.items():
        if getattr(given, name) and bool(given.runs) == (kind == "trn files"):
            raise ConfigError(f"--{name} is for {kind}; see asr-evaluate --help")
    if given.runs and given.hyp is None and given.ref is None:
        _evaluate_runs(given)
    elif not given.runs and given.hyp is not None and given.ref is not None:
        _evaluate_transcripts(given)
    else:
        raise ConfigError("give run folders, or both --ref and --hyp; see asr-evaluate --help")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-evaluate",
        description="Report error rates with counts and 95 % intervals.",
        epilog="examples: asr-evaluate runs/an4/ctc/... --out recipes/an4/results    "
        "asr-evaluate --ref ref.trn --hyp hyp.trn --rate wer --rate cer",
    )
    parser.add_argument(
        "runs",
        nargs="*",
        type=Path,
        metavar="run",
        help="a run folder: decode its splits with its best weights; several: the folds of a cross-validation, whose"
        " errors add up",
    )
    parser.add_argument(
        "--split",
        action="append",
        choices=("train", "dev", "test"),
        help="which split of the run (repeatable; default dev and test, of folds test)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="also write the result into this folder, as <recipe>[-<departures from it>]-seed<k>.json",
    )
    parser.add_argument("--by", metavar="TAG", help="also rates of each value of a tag, such as speaker or donor")
    add_plugin(parser)
    parser.add_argument("--ref", type=Path, help="references of any system: a trn file, `words (utterance-id)` a line")
    parser.add_argument("--hyp", type=Path, help="its hypotheses, the same way")
    parser.add_argument(
        "--rate",
        action="append",
        choices=("wer", "cer", "per", "ser"),
        help="what to count in trn files (repeatable; default wer); a run reports the rates of its recipe",
    )
    add_debug(parser)
    return parser


def _evaluate_runs(given: argparse.Namespace) -> None:
    from asr.cli.progress import Steps, console
    from asr.cli.tables import print_result
    from asr.recognition.finish import evaluate_run
    from asr.recognition.folds import evaluate_folds
    from asr.recognition.run_folder import RunFolder
    from asr.report.results import result_name
    from asr.training.checkpoint import write_json

    folders = [RunFolder(path) for path in given.runs]
    if len(folders) > 1 and given.by:
        raise ConfigError("--by is for one run; several are evaluated as folds")
    if given.out is not None and (why := obstacle(given.out)):  # before anything is decoded
        raise ConfigError(f"--out {given.out} {why}; give another folder")
    with Steps() as steps:
        if len(folders) > 1:
            result = evaluate_folds(folders, given.split or ["test"], steps, given.plugin)
        else:
            result = evaluate_run(folders[0], given.split or ["dev", "test"], steps, given.plugin, given.by)
    print_result(result)
    if result.get("unfinished"):
        of_one = f"the run is not finished: these are its best weights after {result.get('epochs')} epochs"
        console.print("not all folds are finished: these are their best weights" if "folds" in result else of_one)
    if given.out is not None:
        path = given.out / result_name(result["recipe"], result["options"], result["seed"])
        given.out.mkdir(parents=True, exist_ok=True)
        write_json(path, result)
        console.print(f"wrote {path}", soft_wrap=True)


def _evaluate_transcripts(given: argparse.Namespace) -> None:
    from asr.cli.tables import print_rates
    from asr.corpus.phonemes import fold
    from asr.scoring.transcripts import score_transcripts

    rates = score_transcripts(given.ref, given.hyp, given.rate or ["wer"], fold)
    print_rates({given.hyp.name: rates})
