"""`asr-export`: write a trained model as one file: a bundle, or an ONNX network that other programs can run too."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import HelpFormatter, add_debug, add_plugin, run
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.corpus.utterance import Utterance
    from asr.recogniser.recogniser import Recogniser


def main() -> None:
    """Run `asr-export`."""
    run(_main)


def _main() -> None:
    given = _parser().parse_intermixed_args()  # options of a corpus may follow --on
    _check_store(given.out, given.store)
    if given.on is None and (given.options or given.split):
        raise ConfigError("--split and the options of a corpus need --on; see asr-export --help")

    from asr.cli.console import say
    from asr.evaluation.cards import card_of
    from asr.recogniser.loading import load

    recogniser = load(given.model, plugins=given.plugin)
    facts = {name: value for name in ("data", "licence") if (value := getattr(given, name)) is not None}
    recogniser = replace(recogniser, card=(card_of(given.model) or recogniser.card).with_facts(**facts))
    if given.average_with is not None:
        recogniser = _averaged(recogniser, given.average_with[0], given.average_with[1], given.plugin)
    utterances = None if given.on is None else _utterances(given)
    copied: list[Path] = []
    _write(recogniser, given.out, given.store, copied.append)
    say(f"wrote {given.out}, {given.out.stat().st_size / 1e6:.2f} MB", *(f"wrote {one}" for one in copied))
    if utterances is not None:
        _report_change(recogniser, load(given.out, plugins=given.plugin), utterances, given.store)
    elif given.store != "float32":
        say(f"the effect of {given.store} on the error rates was not measured; to measure it, add --on MANIFEST")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-export",
        description="Write a model as one complete file for asr-transcribe and asr.load: a .safetensors bundle, or an"
        " .onnx file for onnxruntime. Other programs can run the .onnx file too: its metadata describes how to compute"
        " the frames, and lists the labels of the posteriors.",
        epilog="examples:\n"
        "  asr-export runs/an4/ctc/... an4.safetensors --store float16\n"
        "  asr-export runs/unipen/everything/... mine.safetensors --average-with unipen 0.4\n"
        "  asr-export an4 an4.onnx --store int8 --on manifest/mine --split test",
        formatter_class=HelpFormatter,
    )
    parser.add_argument("model", help="a run folder, a checkpoint, a .safetensors bundle, or a pretrained name")
    parser.add_argument("out", type=Path, help="the .safetensors or .onnx file to write")
    parser.add_argument("options", nargs="*", metavar="option=value", help="options of the corpus after --on")
    parser.add_argument(
        "--store",
        metavar="FORM",
        default="float32",
        help="number format of the weights: float32 (default), float16 (half the size; bundles only), int8 (a quarter"
        " of the size; onnxruntime then computes with whole numbers: measure the effect with --on)",
    )
    parser.add_argument(
        "--on",
        metavar="WHERE",
        help="report the error rates of the model and of the written file on these utterances: a manifest (.jsonl), a"
        " folder of manifests, or a corpus that asr-prepare knows with its options",
    )
    parser.add_argument(
        "--average-with",
        nargs=2,
        metavar=("MODEL", "SHARE"),
        help="average the weights with those of MODEL, from which training started; SHARE (0 to 1) is the weight of"
        " MODEL. After training on new data, the average often reads the old data better; choose SHARE on dev",
    )
    parser.add_argument("--split", metavar="NAME", help="the split of --on to use (default: test, or the only one)")
    add_plugin(parser)
    parser.add_argument("--data", metavar="TEXT", help="training data, for the model card")
    parser.add_argument("--licence", metavar="TEXT", help="licence of the weights, for the model card")
    add_debug(parser)
    return parser


def _check_store(out: Path, store: str) -> None:
    from asr.recogniser import bundle, onnx_export

    by_suffix = {".safetensors": bundle.STORES, ".onnx": onnx_export.STORES}
    stores = by_suffix.get(out.suffix)
    if stores is None:
        raise ConfigError(f"{out}: the name must end in {' or '.join(by_suffix)}")
    if store not in stores:
        raise ConfigError(f"--store {store}: {out.suffix} files store weights as {' or '.join(stores)}")


def _averaged(recogniser: Recogniser, model: str, share: str, plugins: Sequence[str]) -> Recogniser:
    from asr.recogniser.averaging import averaged
    from asr.recogniser.loading import load

    try:
        weight = float(share)
    except ValueError:
        raise ConfigError(f"--average-with {model} {share}: the share must be a number from 0 to 1") from None
    mixed = averaged(recogniser, load(model, plugins=plugins), weight)
    command = f"{mixed.card.about.get('command', '')}; asr-export RUN --average-with {model} {weight:g}"
    return replace(mixed, card=mixed.card.with_facts(command=command.removeprefix("; ")))


def _write(recogniser: Recogniser, out: Path, store: str, on_copy: Callable[[Path], object]) -> None:
    if out.suffix == ".onnx":
        from asr.recogniser.onnx_export import export_onnx

        export_onnx(recogniser, out, store, on_copy)
    else:
        from asr.recogniser.bundle import save_bundle

        save_bundle(recogniser, out, store, on_copy)


def _utterances(given: argparse.Namespace) -> Sequence[Utterance]:
    """Return the utterances of one split of `--on`."""
    from asr.cli.progress import Steps
    from asr.experiment.corpus_splits import splits_to_score

    with Steps() as steps:
        splits = splits_to_score(given.on, given.options, given.plugin, steps).splits
    name = given.split or (next(iter(splits)) if len(splits) == 1 else "test")
    if not splits.get(name):
        raise ConfigError(f"{given.on} has no split {name}; it has {', '.join(key for key in splits if splits[key])}")
    return splits[name]


def _report_change(before: Recogniser, after: Recogniser, utterances: Sequence[Utterance], store: str) -> None:
    """Print the error rates of both recognisers, and the number of texts that differ."""
    from asr.cli.progress import Steps
    from asr.cli.tables import print_rates
    from asr.evaluation.change import measure_change
    from asr.resources import user_cache

    with Steps() as steps:
        change = measure_change(before, after, utterances, user_cache() / "frames", steps)
    print_rates({"before": change.before, store: change.after})
    print(f"{change.different} of {change.utterances} texts differ")
