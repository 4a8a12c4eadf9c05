"""Pages of the Python interface: the docstrings of the modules that programs of others may call."""

from __future__ import annotations

from collections.abc import Sequence

from building.places import index

_FOLDER = "reference/python"

ROOMS: dict[str, tuple[str, ...]] = {
    "asr": ("asr",),
    "asr.recogniser": (
        "recogniser", "config", "card", "pretrained", "sources", "long", "page", "document", "subtitles", "formats",
        "alignment", "alignment_formats", "bundle", "onnx_export", "onnx_loading",
    ),
    "asr.audio": ("reading", "sources", "resampling"),
    "asr.ink": ("ink", "reading", "sheets", "inkml", "json_ink", "svg", "store", "layout.analysis", "layout.types"),
    "asr.corpus": (
        "utterance", "manifest", "splits", "inventory", "phonemes", "characters", "checks", "cleaning", "handling",
        "faults",
    ),
    "asr.features": (
        "extractor", "sound.spectral", "sound.options", "sound.augment", "pen.extractor", "pen.augment", "normalise",
        "stack", "cache",
    ),
    "asr.ctc": ("alignment", "loss", "guard", "consistency"),
    "asr.recurrent": ("options", "stack", "layer", "cells.cell", "cells.gated"),
    "asr.engines": ("engine", "choice"),
    "asr.lm": (
        "model", "automaton", "stored", "building", "ngram", "kneser_ney", "mixing", "pruning", "arpa", "perplexity",
        "generation", "recurrent",
    ),
    "asr.decoding": (
        "search", "hypothesis", "posteriors", "choice", "own_words", "greedy", "beam", "lexicon", "boost",
        "restriction", "finishing", "rescoring", "risk", "confidence", "calibration", "marks",
    ),
    "asr.scoring": (
        "edits", "rates", "named_rates", "bootstrap", "transcripts", "trn", "lattice", "calibration", "utterances",
    ),
    "asr.evaluation": ("split", "result", "model", "recognised", "tuning", "calibration", "cards"),
    "asr.training": ("task", "loop", "watching", "batches", "optimizers", "schedules", "state", "checkpoint"),
    "asr.report": ("readme", "markdown", "comparison", "results"),
    "data_prep": ("corpora", "recordings", "ink_cache"),
    "errors and configuration": (
        "asr.errors", "asr.config", "asr.presets", "asr.compiling", "asr.extras", "asr.seeds",
    ),
}  # fmt: skip
"""The public modules of each room, by their names below it; what is not here may change without notice."""


def modules(room: str) -> list[str]:
    """Return the public modules of a room, the package with its opening docstring first."""
    names = ROOMS[room]
    if "." in room or room == "data_prep":
        return [room, *(f"{room}.{name}" for name in names)]
    return list(names)


def pages() -> dict[str, str]:
    """Return the page of each room, and their contents."""
    opening = (
        "A page for each room of the package, with the modules that programs may call; everything else may change "
        "without notice. `asr.load` is where most programs begin."
    )
    files = {room: room.replace(" ", "_") for room in ROOMS}
    contents = index("Python", opening, list(files.values()))
    return {f"{_FOLDER}/index": contents} | {f"{_FOLDER}/{files[room]}": _page(room, modules(room)) for room in ROOMS}


def _page(room: str, names: Sequence[str]) -> str:
    title = f"`{room}`" if "asr" in room or room == "data_prep" else room.capitalize()
    own = [name for name in names if name == room]
    parts = [f"# {title}", *(_documented(name) for name in own)]
    parts += [f"## `{name}`\n\n{_documented(name)}" for name in names if name != room]
    return "\n\n".join(parts) + "\n"


def _documented(module: str) -> str:
    return f"```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n```"
