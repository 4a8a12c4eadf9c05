"""Find and load a recogniser: a run folder, a checkpoint, an exported bundle, or the name of a pretrained one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from asr.config import Component, nearest, shown
from asr.corpus.inventory import Inventory
from asr.decoding.choice import choose_decoder, named
from asr.errors import AsrError, CheckpointError, one_line
from asr.files import write_file
from asr.recogniser.card import Card
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.pretrained import pretrained_bundle, pretrained_names
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.stored_weights import fitted, packed, unpacked
from asr.training.checkpoint import check_readable, load_checkpoint

FORMAT = "ctc-asr-bundle-1"


def load(
    model: str | Path, plugins: Sequence[str] = (), decoder: str | Sequence[str] | Component | None = None
) -> Recogniser:
    """Load a recogniser for inference.

    Args:
        model: a run folder, a checkpoint (`.pt`), a bundle (`.safetensors`), or the name of a pretrained model. A run
            folder with this name takes precedence over a pretrained model.
        plugins: modules of your own that the model's configuration may name.
        decoder: the decoder to use: its name, or options as on a command line (`["decoder=greedy"]`), or a component;
            None: the default that the model names.

    Raises:
        CheckpointError: nothing there, damaged, or naming code outside this package and the plugins.
        ConfigError: there is no such decoder, or it has no such option.
    """
    recogniser = _loaded(model, plugins)
    if isinstance(decoder, Component):
        recogniser.use_decoder(named(decoder), plugins)
    elif decoder is not None:
        options = [f"decoder={decoder}"] if isinstance(decoder, str) else decoder
        recogniser.use_decoder(choose_decoder(options, recogniser.config.decoder, plugins), plugins)
    return recogniser


def _loaded(model: str | Path, plugins: Sequence[str]) -> Recogniser:
    path = Path(model).expanduser()
    if str(model) in pretrained_names() and not (path / "checkpoints").is_dir():  # a corpus beside us may be named so
        return load_bundle(pretrained_bundle(str(model)), plugins)
    if path.is_dir():
        path = best_of(path)
        return recogniser_of(load_checkpoint(path), path, plugins)
    if path.suffix == ".pt":
        return recogniser_of(load_checkpoint(path), path, plugins)
    if path.suffix == ".safetensors":
        return load_bundle(path, plugins)
    if path.suffix == ".onnx" and path.is_file():
        raise CheckpointError(
            f"{path} holds the network alone, for runtimes of ONNX such as onnxruntime (its metadata says what goes in"
            f" and what comes out); asr.load and the commands read a bundle: asr-export MODEL {path.stem}.safetensors"
        )
    if path.exists():
        raise CheckpointError(f"{path} is neither a run folder, nor a .pt checkpoint, nor a .safetensors bundle")
    names = pretrained_names()
    raise CheckpointError(
        f"no model '{model}': neither a file or run folder nor one of the pretrained models "
        f"({', '.join(names)}){nearest(str(model), names)}"
    )


def best_of(run: Path) -> Path:
    """Return the path of the best checkpoint of a run folder.

    Raises:
        CheckpointError: there is none.
    """
    best = run / "checkpoints" / "best.pt"
    if not best.exists():
        raise CheckpointError(f"{run} is not a run folder with a finished epoch: there is no {best}")
    return best


def state_of(recogniser: Recogniser) -> dict[str, Any]:
    """Return what a checkpoint holds beside the network's weights: plain values and tensors."""
    return {
        "format": FORMAT,
        "config": recogniser.config.to_dict(),
        "inventory": recogniser.inventory.to_dict(),
        "card": recogniser.card.to_dict(),
        "normaliser": recogniser.normaliser.state_dict(),
    }


def recogniser_of(saved: Mapping[str, Any], path: Path, plugins: Sequence[str] = ()) -> Recogniser:
    """Make the recogniser of a checkpoint that was read.

    Args:
        saved: what `load_checkpoint` gave.
        path: of the checkpoint, for messages.
        plugins: modules of the user's that its configuration may name.

    Raises:
        CheckpointError: it holds no recogniser, or names code outside this package and the plugins.
    """
    bundle, weights = saved.get("bundle"), saved.get("weights")
    normaliser = bundle.get("normaliser") or {} if isinstance(bundle, dict) else None
    if not isinstance(bundle, dict) or not isinstance(weights, dict) or not isinstance(normaliser, dict):
        raise CheckpointError(f"{path} is no checkpoint of a recogniser: it has no `bundle` and `weights`")
    return _assemble(path, bundle, normaliser, weights, plugins)


def _assemble(
    path: Path,
    bundle: Mapping[str, Any],
    normaliser: Mapping[str, torch.Tensor],
    weights: Mapping[str, torch.Tensor],
    plugins: Sequence[str],
) -> Recogniser:
    config, card = _read_header(path, bundle)
    _check_plugins(path, config.plugins, (plugins,) if isinstance(plugins, str) else plugins)
    ours = not config.plugins  # then no memory is taken for a network that the file has no weights for
    try:
        recogniser = Recogniser(config, card=card, device="meta" if ours else "cpu")
        recogniser.normaliser.load_state_dict(dict(normaliser))
        recogniser.model.load_state_dict(fitted(weights, recogniser.model.state_dict()), assign=ours)
    except AsrError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{path}: the model cannot be built: {one_line(error)}") from error
    recogniser.model.eval()
    return recogniser


def _read_header(path: Path, bundle: object) -> tuple[RecogniserConfig, Card]:
    """Read what a file says of its recogniser beside the weights."""
    wanted = ("config", "inventory")
    if (
        not isinstance(bundle, dict)
        or bundle.get("format") != FORMAT
        or not all(isinstance(bundle.get(part), dict) for part in wanted)
        or not isinstance(bundle.get("card") or {}, dict)
    ):
        raise CheckpointError(f"{path} is not a '{FORMAT}' model; it was written by another program or version")
    try:
        config = RecogniserConfig.from_dict(bundle["config"], Inventory.from_dict(bundle["inventory"]))
        return config, Card.from_dict(bundle.get("card") or {})
    except AsrError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path}: its model card is damaged: {one_line(error)}") from error


def _check_plugins(path: Path, wanted: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise a CheckpointError where a model needs modules that the user has not allowed."""
    missing = [name for name in wanted if name not in allowed]
    if missing:
        allow = " ".join(f"--plugin {shown(name)}" for name in missing)
        raise CheckpointError(
            f"{path} needs code of the modules {', '.join(map(shown, missing))}; if you trust it, allow it: {allow} "
            f"(in Python: plugins={missing})"
        )


def save_bundle(recogniser: Recogniser, path: Path, store: str = "float32") -> None:
    """Write one self-contained `.safetensors` file.

    Args:
        recogniser: what to save.
        path: where to.
        store: how the network's weights are kept, see `packed`; they are float32 again when loaded.
    """
    from safetensors.torch import save

    tensors = {f"normaliser.{name}": value for name, value in recogniser.normaliser.state_dict().items()}
    tensors |= packed(recogniser.model.state_dict(), store)
    header = {key: value for key, value in state_of(recogniser).items() if key != "normaliser"}
    content = save({name: value.contiguous() for name, value in tensors.items()}, {"bundle": json.dumps(header)})
    write_file(path, content)


def load_bundle(path: Path, plugins: Sequence[str] = ()) -> Recogniser:
    """Read a bundle; nothing in it is executed.

    Raises:
        CheckpointError: missing, damaged, or written by something else.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CheckpointError(f"no bundle at {path}")
    check_readable(path)
    try:
        with safe_open(str(path), framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("bundle", "{}"))
            # Cloned, because they are mapped from the file: cutting it short would end this process.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError, ValueError, RecursionError) as error:  # RecursionError: JSON nested too deeply
        raise CheckpointError(f"{path} is not a whole bundle: {one_line(error)}") from error
    prefix = "normaliser."
    statistics = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    try:
        weights = unpacked(tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    return _assemble(path, header, statistics, weights, plugins)
