"""`asr-tune`: choose the weights of a decoder on a development set, and save the decoder with the model."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import HelpFormatter, add_debug, add_engine, add_plugin, run
from asr.cli.console import say, warn
from asr.cli.decoders import add_decoder, given_decoder, positive
from asr.engines.names import AUTO
from asr.errors import ConfigError
from asr.files import obstacle, obstacle_to_file
from asr.presets import is_option
from asr.recogniser.pretrained import pretrained_names
from asr.scoring.named_rates import RATES

if TYPE_CHECKING:
    from asr.corpus.utterance import Utterance
    from asr.decoding.choice import DecoderChoice
    from asr.evaluation.split import Progress
    from asr.evaluation.tuning import Tuning
    from asr.recogniser.recogniser import Recogniser

_DEV = "dev"


def main() -> None:
    """Run `asr-tune`."""
    run(_main)


def _main() -> None:
    try:
        given, place, tuning = _tuned()
    except KeyboardInterrupt:
        say("stopped; nothing was written")
        raise
    _save(tuning, place, given)


def _tuned() -> tuple[argparse.Namespace, Path, Tuning]:
    """Read the command line, tune and print the result; return the arguments of `_save`."""
    given = _parser().parse_intermixed_args()  # options of a corpus may follow --on
    model, options, place = _model(given)
    decoding = [one for one in options if one.partition("=")[0].partition(".")[0] == "decoder"]
    from dataclasses import replace

    from asr.cli.progress import Steps
    from asr.decoding.choice import decoder_for
    from asr.evaluation.tuning import axes_of, check_calibration, tune
    from asr.recogniser.loading import load
    from asr.resources import user_cache

    recogniser = load(model, given.plugin, "greedy", given.engine or AUTO)  # files of its own decoder may be missing
    if recogniser.engines.network is None:
        raise ConfigError(f"{model} is an .onnx file; tune the bundle that it was exported from, then export it again")
    allowed = (*recogniser.config.plugins, *given.plugin)
    decoder = decoder_for(given_decoder(given, decoding), recogniser.config.decoder_choice, allowed)
    decoder = replace(decoder, component=decoder.component.completed())
    if given.keep_weights:  # checked before the corpus is read
        check_calibration(decoder)
    else:
        axes_of(decoder, given.weight)
    recogniser.with_decoder(decoder, given.plugin)  # raises if the decoder cannot be built
    recogniser = _with_own_decoder(recogniser, given.plugin)
    with Steps() as steps:
        split, utterances = _utterances(given, model, [one for one in options if one not in decoding], steps)
        tuning = tune(
            recogniser, decoder, utterances, user_cache() / "frames", steps,
            split=split, rate=given.rate, names=given.weight, plugins=given.plugin,
            keep_weights=given.keep_weights,
        )  # fmt: skip
    _report(tuning, recogniser.decoder_choice, split)
    return given, place, tuning


def _model(given: argparse.Namespace) -> tuple[str, list[str], Path]:
    """Return the model, the options, and the run folder or bundle to write the tuned decoder to."""
    models = [word for word in given.items if not is_option(word)]
    if given.keep_weights and given.weight:
        raise ConfigError("--keep-weights and --weight exclude each other; give one of them")
    if len(models) != 1:
        raise ConfigError(f"give one model, not {len(models)}; see asr-tune --help")
    model, out = models[0], given.out
    folder = Path(model).expanduser()
    if out is None and not (folder / "checkpoints").is_dir():
        raise ConfigError(f"{model} is no run folder; name a new file: asr-tune {model} ... --out tuned.safetensors")
    if out is not None and out.suffix != ".safetensors":
        raise ConfigError(f"--out {out}: the name must end in .safetensors")
    if why := obstacle(folder) if out is None else obstacle_to_file(out):
        raise ConfigError(f"{folder if out is None else out} {why}; give another place with --out")
    return model, [word for word in given.items if is_option(word)], folder if out is None else out


def _with_own_decoder(recogniser: Recogniser, plugins: Sequence[str]) -> Recogniser:
    """Return the recogniser with its own decoder, to compare with; with greedy search if that cannot be used."""
    try:
        return recogniser.with_decoder(recogniser.config.decoder_choice, plugins)
    except ConfigError as error:
        warn(f"the model's own decoder cannot be used, so the comparison is with greedy search: {error}")
        return recogniser


def _utterances(
    given: argparse.Namespace, model: str, options: Sequence[str], on_progress: Progress
) -> tuple[str, Sequence[Utterance]]:
    """Return the name and the utterances of the development set."""
    from asr.evaluation.tuning import sample_of
    from asr.experiment.corpus_splits import splits_to_score

    own = Path(model).expanduser() / "manifest"
    if given.on is None and not own.is_dir():
        raise ConfigError(
            f"{model} has no development set of its own; give a manifest, a folder of manifests or a corpus: asr-tune"
            f" {model} --on dev.jsonl"
        )
    where = str(own) if given.on is None else given.on
    splits = splits_to_score(where, options, given.plugin, on_progress).splits
    split = given.split or (next(iter(splits)) if len(splits) == 1 else _DEV)
    if not splits.get(split):
        raise ConfigError(f"{where} has no split {split}; it has {', '.join(name for name in splits if splits[name])}")
    if split == "test":
        warn("after tuning on test, error rates on test are too optimistic; use another part of the data as dev")
    return split, splits[split] if given.at_most is None else sample_of(splits[split], given.at_most)


def _report(tuning: Tuning, before: DecoderChoice, split: str) -> None:
    """Print the error rates before and after tuning, the chosen weights, and warnings."""
    from asr.cli.tables import print_rates

    if not tuning.axes:
        print_rates({"calibrated": tuning.after}, f"{split}, {tuning.choice.name}")
        return
    rows = {f"before: {before.name}": tuning.before, "tuned": tuning.after}
    if tuning.n_folds:
        rows[f"tuned on the other {tuning.parts}"] = tuning.others
    n = len(tuning.surface)
    print_rates(rows, f"{split}, {tuning.choice.name}: the best {tuning.rate} of {n} choice{'s' if n > 1 else ''}")
    for axis, value in zip(tuning.axes, tuning.chosen, strict=True):
        print(f"decoder.{axis.name}={value:g}")
    if tuning.is_worse:
        was, now = (f"{one[tuning.rate].percent:.1f}" for one in (tuning.before, tuning.after))
        warn(
            f"the tuned decoder is worse than {before.name}, the decoder before: {tuning.rate} {now} instead of {was}"
            " %; tune other weights, or do not use the written decoder"
        )
    for name in tuning.farthest:
        warn(f"{name}: the best value is the last one tried; to try values beyond it, start with decoder.{name}=VALUE")


def _save(tuning: Tuning, place: Path, given: argparse.Namespace) -> None:
    """Write the decoder into the run folder or a bundle, and the error rates of all tried weights beside it."""
    from asr.evaluation.tuning_surface import write_surface
    from asr.recogniser.saved_decoder import save_decoder

    copied: list[Path] = []
    if given.out is None:
        written, name = save_decoder(place, tuning.choice, copied.append), "tuning"
    else:
        written, name = _bundle(tuning, place, given, copied.append), f"{place.stem}.tuning"
    folder = written.parent
    surface = write_surface(tuning, folder, name) if tuning.axes else []
    say(*(f"wrote {one}" for one in (written, *copied, *surface)))


def _bundle(tuning: Tuning, out: Path, given: argparse.Namespace, on_copy: Callable[[Path], object]) -> Path:
    """Write a bundle of the same weights with the tuned decoder."""
    from asr.evaluation.cards import card_of
    from asr.recogniser.bundle import bundle_of, save_bundle, with_decoder

    model = _model(given)[0]
    bundle = bundle_of(model)
    if bundle is not None:
        with_decoder(bundle, tuning.choice, out, on_copy)
        return out
    from dataclasses import replace

    from asr.recogniser.loading import load

    recogniser = load(model, given.plugin, "greedy").with_default_decoder(tuning.choice, given.plugin)
    save_bundle(replace(recogniser, card=card_of(model) or recogniser.card), out, on_copy=on_copy)
    return out


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-tune",
        description="Choose the weights of a decoder (of its language model and bonuses) with the fewest errors on a"
        " development set, and save the decoder with the model: as decoder.json in a run folder, or as a new bundle."
        " asr-transcribe, asr-evaluate, asr-export and asr.load use it from then on.",
        epilog="examples:\n"
        "  asr-tune runs/an4/ctc/... decoder=beam decoder.lm=an4.lm\n"
        "  asr-tune an4 --on an4 root=/data/an4 --lm an4.lm --out mine.safetensors\n"
        "  asr-tune mine.safetensors --on dev.jsonl --rate wer --out mine.safetensors",
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "items",
        nargs="+",
        metavar="model | option=value",
        help="a run folder, a bundle, or a pretrained name: "
        + ", ".join(pretrained_names())
        + ". decoder=NAME and decoder.OPTION=VALUE choose the decoder to tune and the values to start from (default:"
        " the model's decoder); other options belong to the corpus after --on",
    )
    parser.add_argument(
        "--on",
        metavar="WHERE",
        help="the development set, which must not be test data: a manifest (.jsonl), a folder of manifests, or a corpus"
        " that asr-prepare knows with its options (default for a run folder: the dev set of the run)",
    )
    parser.add_argument("--split", metavar="NAME", help="the split of --on to use (default: dev, or the only one)")
    parser.add_argument(
        "--at-most",
        type=positive,
        metavar="N",
        help="tune on N utterances, taken at equal distances from the whole set: faster for a large set, with nearly"
        " the same weights",
    )
    parser.add_argument(
        "--rate",
        choices=sorted(RATES),
        help="the error rate to minimise (default: the one that suits the model's labels, such as cer for characters)",
    )
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="OPTION",
        help="an option of the decoder to tune (repeatable; default: all weights that have an effect)",
    )
    parser.add_argument(
        "--keep-weights",
        action="store_true",
        help="do not tune weights; only calibrate the confidences on the development set",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the bundle (.safetensors) to write; it may replace the model's file"
    )
    add_decoder(parser)
    add_engine(parser)
    add_plugin(parser)
    add_debug(parser)
    return parser
