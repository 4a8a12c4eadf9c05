"""`asr-export`: a trained model as one file: a bundle for this program, or an ONNX network for others."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from asr.cli.command import add_debug, add_plugin, run
from asr.errors import ConfigError


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="asr-export",
        description="Write a model as one .safetensors bundle (configuration, inventory, normalisation and weights), "
        "which asr-transcribe and asr.load read, or its network alone as an .onnx file for other programs: they must "
        "compute the frames and decode the posteriors themselves, as the file's metadata says.",
        epilog="example: asr-export runs/an4/ctc/... an4.safetensors --store float16",
    )
    parser.add_argument("model", help="a run folder, a checkpoint, a bundle or a pretrained name")
    parser.add_argument("out", type=Path, help="a .safetensors or an .onnx file to write")
    parser.add_argument(
        "--store",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="how a bundle keeps the weights: float32 (default), float16 (half the size), int8 (a quarter)",
    )
    add_plugin(parser)
    parser.add_argument("--data", help="for the model card: what it was trained on")
    parser.add_argument("--licence", help="for the model card: of the weights")
    add_debug(parser)
    given = parser.parse_args()
    if given.out.suffix not in (".safetensors", ".onnx"):
        raise ConfigError(f"{given.out}: the name must end in .safetensors or .onnx")
    if given.store != "float32" and given.out.suffix == ".onnx":
        raise ConfigError("--store is for .safetensors bundles")

    from asr.cli.console import console
    from asr.evaluation.cards import card_of
    from asr.recogniser.bundle import save_bundle
    from asr.recogniser.loading import load

    recogniser = load(given.model, plugins=given.plugin)
    told = {name: value for name in ("data", "licence") if (value := getattr(given, name)) is not None}
    recogniser = replace(recogniser, card=(card_of(given.model) or recogniser.card).with_facts(**told))
    if given.out.suffix == ".onnx":
        from asr.recogniser.onnx_export import export_onnx

        export_onnx(recogniser, given.out)
    else:
        save_bundle(recogniser, given.out, store=given.store)
    console.print(f"wrote {given.out}, {given.out.stat().st_size / 1e6:.2f} MB", soft_wrap=True)
