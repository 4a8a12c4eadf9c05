"""`asr-evaluate`: report error rates of a run, of a model on a corpus, or of any system's transcripts."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import HelpFormatter, add_debug, add_engine, add_plugin, run
from asr.cli.console import say
from asr.cli.decoders import add_decoder, given_decoder, positive, warn_of_greedy
from asr.engines.names import AUTO
from asr.errors import ConfigError
from asr.extras import require
from asr.files import make_folder, obstacle
from asr.presets import is_option

if TYPE_CHECKING:
    from asr.corpus.splits import Corpus
    from asr.evaluation.result import Result
    from asr.evaluation.split import Progress

_RATES = ("wer", "cer", "wer_folded", "cer_folded", "per", "per_39", "per_39_no_sil", "ser")
_SPLITS = ("train", "dev", "test")
_LOCATION = ("root", "cache")  # corpus options that say where the corpus is, not which utterances it has
_MODEL_OPTIONS = (
    "split", "out", "by", "nbest", "lm", "words", "only_words", "labels", "plugin", "on", "engine", "verbose"
)  # fmt: skip


def main() -> None:
    """Run `asr-evaluate`."""
    run(_main)


def _main() -> None:
    given = _parser().parse_intermixed_args()  # options of a corpus may follow --on
    models = [word for word in given.items if not is_option(word)]
    options = [word for word in given.items if is_option(word)]
    if given.on is None and len(models) > 1 and _holds_manifests(models[1]):
        given.on, models = models[1], [models[0], *models[2:]]
    if given.ref is not None or given.hyp is not None:
        _refuse(given, models or options, _MODEL_OPTIONS, "a model")
        _evaluate_transcripts(given)
    elif not models:
        raise ConfigError("give run folders, or a model and a manifest, or --ref and --hyp; see asr-evaluate --help")
    elif given.on is not None:
        _report(given, lambda: _evaluate_model(given, models, options))
    else:
        _refuse(given, [], ("rate",), "trn files, or for a model with a manifest or corpus")
        _report(given, lambda: _evaluate_runs(given, models, options))


def _holds_manifests(word: str) -> bool:
    """Return whether a word is a manifest or a folder of manifests; a run folder is none."""
    path = Path(word).expanduser()
    return path.suffix == ".jsonl" or any((path / f"{split}.jsonl").is_file() for split in _SPLITS)


def _refuse(given: argparse.Namespace, words: Sequence[str], names: Sequence[str], kind: str) -> None:
    """Raise a ConfigError if words or options are given that do not apply here.

    Args:
        given: the parsed command line.
        words: the words that do not apply.
        names: the options that do not apply.
        kind: the phrase for what these options are for.
    """
    if words:
        raise ConfigError("give either models, or --ref and --hyp, not both; see asr-evaluate --help")
    for name in names:
        if getattr(given, name):
            raise ConfigError(f"--{name.replace('_', '-')} is for {kind}; see asr-evaluate --help")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-evaluate",
        description="Report error rates with counts and 95 % confidence intervals.",
        epilog="examples:\n"
        "  asr-evaluate runs/an4/ctc/... --out recipes/an4/results\n"
        "  asr-evaluate an4 manifest/mine --split test decoder=greedy\n"
        "  asr-evaluate an4 --on an4 root=/data/an4\n"
        "  asr-evaluate --ref ref.trn --hyp hyp.trn --rate wer --rate cer",
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "items",
        nargs="*",
        metavar="run | model manifest | option=value",
        help="a run folder: decode its splits with its best weights; several run folders: the folds of a"
        " cross-validation, whose error counts are summed; a model (a run folder, a bundle, an .onnx file or a"
        " pretrained name) followed by a manifest (.jsonl) or a folder of manifests: the same as --on. decoder=NAME and"
        " decoder.OPTION=VALUE replace the model's own decoder; other options belong to the corpus after --on",
    )
    parser.add_argument(
        "--on",
        metavar="WHERE",
        help="evaluate the model on these utterances: a manifest (.jsonl), a folder of manifests, or a corpus that"
        " asr-prepare knows with its options, such as --on an4 root=/data/an4",
    )
    parser.add_argument(
        "--split",
        action="append",
        choices=_SPLITS,
        help="the split to evaluate (repeatable; default: dev and test; for folds test)",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="also write the result file into this folder")
    parser.add_argument(
        "--by",
        metavar="TAG",
        help="also report rates for each value of a tag, such as speaker, donor, or seen (whether the training split"
        " contains the same transcript)",
    )
    add_decoder(parser)
    parser.add_argument(
        "--nbest",
        type=positive,
        metavar="N",
        help="also report the oracle error rates of the N best texts of each utterance: the least that any choice"
        " among them can reach",
    )
    add_engine(parser)
    add_plugin(parser)
    parser.add_argument(
        "--ref",
        type=Path,
        metavar="FILE",
        help="the references of any system's transcripts: a trn file with lines like `words (utterance-id)`",
    )
    parser.add_argument("--hyp", type=Path, metavar="FILE", help="the hypotheses for --ref, also a trn file")
    parser.add_argument(
        "--rate",
        action="append",
        choices=_RATES,
        help="the error rate to report (repeatable): for trn files (default wer), or for a model with a manifest or"
        " corpus (default: the rates that suit the model's labels); a run reports the rates of its recipe",
    )
    add_debug(parser)
    return parser


def _beside(word: str) -> str:
    """Return a remark on why a word beside the model names nothing to evaluate on."""
    path = Path(word).expanduser()
    if path.is_dir() and any(path.glob("*.jsonl")):
        return f" ({word} contains manifests: give the model first)"
    return f" ({word} contains no manifest)" if path.exists() else f" (there is no {word})"


def _evaluate_runs(given: argparse.Namespace, models: Sequence[str], options: Sequence[str]) -> Result:
    from asr.cli.progress import Steps
    from asr.recogniser.pretrained import pretrained_names

    for model in models:
        if not Path(model).expanduser().is_dir() and (model in pretrained_names() or Path(model).suffix):
            beside = "".join(_beside(one) for one in models if one != model)
            raise ConfigError(
                f"{model} has no corpus of its own; give one to evaluate it on: asr-evaluate {model} manifest/mine"
                f"{beside}"
            )
    require("torch", what="a run folder, whose checkpoints torch reads,")
    from asr.experiment.folds import evaluate_folds
    from asr.experiment.run_evaluation import evaluate_run
    from asr.experiment.run_folder import RunFolder

    folders, decoder = [RunFolder(Path(model)) for model in models], given_decoder(given, options)
    for name in ("by", "nbest"):
        if len(folders) > 1 and getattr(given, name):
            raise ConfigError(f"--{name} is for one run; several runs are evaluated together as folds")
    _check_out(given.out)
    with Steps() as steps:
        if len(folders) > 1:
            return evaluate_folds(folders, given.split or ["test"], steps, given.plugin, decoder, given.engine or AUTO)
        splits = given.split or ["dev", "test"]
        return evaluate_run(
            folders[0], splits, steps, given.plugin, given.by, decoder, given.engine or AUTO, given.nbest or 1
        )


def _evaluate_model(given: argparse.Namespace, models: Sequence[str], options: Sequence[str]) -> Result:
    from dataclasses import replace

    import asr
    from asr.cli.progress import Steps
    from asr.evaluation.model import evaluate_model
    from asr.experiment.provenance import commit
    from asr.resources import user_cache

    if len(models) > 1:
        raise ConfigError(f"expected one model and one manifest or folder of manifests; remove {', '.join(models[1:])}")
    _check_out(given.out)
    decoder = [option for option in options if option.partition("=")[0].partition(".")[0] == "decoder"]
    recogniser = asr.load(models[0], given.plugin, given_decoder(given, decoder), given.engine or AUTO)
    of_corpus = [option for option in options if option not in decoder]
    with Steps() as steps:
        corpus = _corpus(given, of_corpus, steps)
        result = evaluate_model(
            recogniser, corpus, given.rate or (), user_cache() / "frames", steps,
            name=Path(models[0]).stem, by=given.by, n_best=given.nbest or 1,
            options=[option for option in of_corpus if option.partition("=")[0] not in _LOCATION],
        )  # fmt: skip
    return replace(result, evaluation_commit=commit())


def _corpus(given: argparse.Namespace, options: Sequence[str], on_progress: Progress) -> Corpus:
    """Read the corpus of `--on`, tag utterances whose text is also in `train`, and keep the splits to evaluate."""
    from dataclasses import replace

    from asr.corpus.seen import tag_seen
    from asr.experiment.corpus_splits import splits_to_score

    corpus = splits_to_score(given.on, options, given.plugin, on_progress)
    wanted = given.split or [name for name in corpus.splits if name != "train" or len(corpus.splits) == 1]
    missing = [name for name in wanted if name not in corpus.splits]
    if missing:
        raise ConfigError(f"{given.on} has no split {', '.join(missing)}; it has {', '.join(corpus.splits)}")
    tagged = tag_seen(corpus.splits)
    return replace(corpus, splits={name: tagged[name] for name in wanted})


def _check_out(out: Path | None) -> None:
    """Raise a ConfigError if the result cannot be written; called before decoding."""
    if out is not None and (why := obstacle(out)):
        raise ConfigError(f"--out {out} {why}; give another folder")


def _report(given: argparse.Namespace, evaluate: Callable[[], Result]) -> None:
    """Evaluate, print the result, and write it into the folder of `--out`."""
    from asr.cli.tables import print_result
    from asr.cli.verbose import evaluation_lines
    from asr.evaluation.result import write_result

    began, out = time.monotonic(), given.out
    result = evaluate()
    warn_of_greedy(result.decoder, given.nbest)
    if given.verbose:
        say(*evaluation_lines(result, time.monotonic() - began))
    print_result(result)
    if not result.training.finished:
        one_run = f"the run is not finished: these are its best weights after {result.training.epochs} epochs"
        say(one_run if result.folds is None else "not all folds are finished: these are their best weights")
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
