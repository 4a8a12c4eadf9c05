"""`asr-evaluate`: error rates of a run, of any model on any corpus, or of any system's transcripts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import add_debug, add_plugin, run
from asr.errors import ConfigError
from asr.files import make_folder, obstacle

if TYPE_CHECKING:
    from asr.corpus.splits import Corpus
    from asr.evaluation.result import Result
    from asr.evaluation.split import Progress

_RATES = ("wer", "cer", "wer_folded", "cer_folded", "per", "per_39", "per_39_no_sil", "ser")
_SPLITS = ("train", "dev", "test")


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    given = _parser().parse_intermixed_args()  # options of a corpus may follow --on
    models = [word for word in given.words if "=" not in word]
    options = [word for word in given.words if "=" in word]
    if given.ref is not None or given.hyp is not None:
        _refuse(given, models or options, ("split", "out", "by", "plugin", "on"), "a model")
        _evaluate_transcripts(given)
    elif not models:
        raise ConfigError("give run folders, a model with --on, or both --ref and --hyp; see asr-evaluate --help")
    elif given.on is not None:
        _report(_evaluate_model(given, models, options), given.out)
    else:
        _refuse(given, [], ("rate",), "trn files, and for a model with --on")
        _report(_evaluate_runs(given, models, options), given.out)


def _refuse(given: argparse.Namespace, words: Sequence[str], names: Sequence[str], kind: str) -> None:
    """Raise a ConfigError for options that mean nothing here."""
    if words:
        raise ConfigError("give either models, or --ref and --hyp, not both; see asr-evaluate --help")
    for name in names:
        if getattr(given, name):
            raise ConfigError(f"--{name} is for {kind}; see asr-evaluate --help")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-evaluate",
        description="Report error rates with counts and 95 % intervals.",
        epilog="examples:\n"
        "  asr-evaluate runs/an4/ctc/... --out recipes/an4/results\n"
        "  asr-evaluate an4 --on manifest/mine --split test\n"
        "  asr-evaluate an4 --on an4 root=/data/an4\n"
        "  asr-evaluate --ref ref.trn --hyp hyp.trn --rate wer --rate cer",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="run | model | option=value",
        help="a run folder: decode its splits with its best weights; several: the folds of a cross-validation, whose"
        " errors add up; with --on any model: a run, a bundle, a pretrained name. decoder=NAME and decoder.OPTION=VALUE"
        " choose another decoder than the model's own; other options are those of the corpus that --on names",
    )
    parser.add_argument(
        "--on",
        metavar="WHERE",
        help="score the model on these utterances: a manifest (.jsonl), a folder of manifests, or a corpus of"
        " asr-prepare with its options, such as --on an4 root=/data/an4",
    )
    parser.add_argument(
        "--split",
        action="append",
        choices=_SPLITS,
        help="which split (repeatable; default dev and test, of folds test)",
    )
    parser.add_argument("--out", type=Path, help="also write the result file into this folder")
    parser.add_argument("--by", metavar="TAG", help="also rates of each value of a tag, such as speaker or donor")
    add_plugin(parser)
    parser.add_argument("--ref", type=Path, help="references of any system: a trn file, `words (utterance-id)` a line")
    parser.add_argument("--hyp", type=Path, help="its hypotheses, the same way")
    parser.add_argument(
        "--rate",
        action="append",
        choices=_RATES,
        help="what to count in trn files (repeatable; default wer) or with --on (default: the rates of the model's"
        " labels); a run reports the rates of its recipe",
    )
    add_debug(parser)
    return parser


def _evaluate_runs(given: argparse.Namespace, models: Sequence[str], options: Sequence[str]) -> Result:
    from asr.cli.progress import Steps
    from asr.experiment.folds import evaluate_folds
    from asr.experiment.run_evaluation import evaluate_run
    from asr.experiment.run_folder import RunFolder
    from asr.recogniser.pretrained import pretrained_names

    for model in models:
        if not Path(model).expanduser().is_dir() and (model in pretrained_names() or Path(model).suffix):
            raise ConfigError(f"{model} brings no corpus of its own; say on what to score it: --on manifest/mine")
    folders = [RunFolder(Path(model)) for model in models]
    if len(folders) > 1 and given.by:
        raise ConfigError("--by is for one run; several are evaluated as folds")
    _check_out(given.out)
    with Steps() as steps:
        if len(folders) > 1:
            return evaluate_folds(folders, given.split or ["test"], steps, given.plugin, options)
        return evaluate_run(folders[0], given.split or ["dev", "test"], steps, given.plugin, given.by, options)


def _evaluate_model(given: argparse.Namespace, models: Sequence[str], options: Sequence[str]) -> Result:
    from dataclasses import replace

    import asr
    from asr.cli.progress import Steps
    from asr.evaluation.model import evaluate_model
    from asr.experiment.provenance import commit
    from asr.resources import user_cache

    if len(models) > 1:
        raise ConfigError(f"--on is for one model, not for {', '.join(models)}")
    _check_out(given.out)
    decoder = [option for option in options if option.partition("=")[0].partition(".")[0] == "decoder"]
    recogniser = asr.load(models[0], given.plugin, decoder or None)
    with Steps() as steps:
        corpus = _corpus(given, [option for option in options if option not in decoder], steps)
        result = evaluate_model(
            recogniser, corpus, given.rate or (), user_cache() / "frames", steps, name=Path(models[0]).stem, by=given.by
        )
    return replace(result, evaluation_commit=commit())


def _corpus(given: argparse.Namespace, options: Sequence[str], on_progress: Progress) -> Corpus:
    """Read what --on names, and keep the splits that are to be scored."""
    from dataclasses import replace

    from asr.experiment.corpus_splits import splits_to_score

    corpus = splits_to_score(given.on, options, given.plugin, on_progress)
    wanted = given.split or [name for name in corpus.splits if name != "train" or len(corpus.splits) == 1]
    missing = [name for name in wanted if name not in corpus.splits]
    if missing:
        raise ConfigError(f"{given.on} has no split {', '.join(missing)}; it has {', '.join(corpus.splits)}")
    return replace(corpus, splits={name: corpus.splits[name] for name in wanted})


def _check_out(out: Path | None) -> None:
    """See that the result can be written, before anything is decoded."""
    if out is not None and (why := obstacle(out)):
        raise ConfigError(f"--out {out} {why}; give another folder")


def _report(result: Result, out: Path | None) -> None:
    """Print a result, and write it where it was asked for."""
    from asr.cli.console import say
    from asr.cli.tables import print_result
    from asr.evaluation.result import write_result

    print_result(result)
    if not result.training.finished:
        of_one = f"the run is not finished: these are its best weights after {result.training.epochs} epochs"
        say(of_one if result.folds is None else "not all folds are finished: these are their best weights")
    if out is not None:
        path = out / result.file_name
        make_folder(out)
        write_result(path, result)
        say(f"wrote {path}")


def _evaluate_transcripts(given: argparse.Namespace) -> None:
    from asr.cli.tables import print_rates
    from asr.corpus.phonemes import fold
    from asr.scoring.transcripts import score_transcripts

    if given.ref is None or given.hyp is None:
        raise ConfigError("give both --ref and --hyp; see asr-evaluate --help")
    print_rates({given.hyp.name: score_transcripts(given.ref, given.hyp, given.rate or ["wer"], fold)})
