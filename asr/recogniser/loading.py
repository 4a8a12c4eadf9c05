"""Find and load a recogniser: a run folder, a checkpoint, an exported bundle, or the name of a pretrained one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from asr.config import nearest
from asr.corpus.inventory import Inventory
from asr.errors import AsrError, CheckpointError
from asr.recogniser.recogniser import PARTS, Recogniser
from asr.recogniser.stored_weights import packed, unpacked
from asr.saved_targets import with_current_targets
from asr.training.checkpoint import check_readable, load_checkpoint, write_atomically

FORMAT = "ctc-asr-bundle-1"
_PRETRAINED = Path(__file__).resolve().parents[1] / "pretrained"


def pretrained_names() -> list[str]:
    """The bundles that come with the package."""
    return sorted(path.stem for path in _PRETRAINED.glob("*.safetensors"))


def load(model: str | Path, plugins: Sequence[str] = ()) -> Recogniser:
    """Load a recogniser for inference.

    Args:
        model: a run folder, a checkpoint (`.pt`), a bundle (`.safetensors`), or a pretrained name, which only a run
            folder of that name comes before.
        plugins: modules of your own that the model's configuration may name.

    Raises:
        CheckpointError: nothing there, damaged, or naming code outside this package and the plugins.
    """
    path = Path(model).expanduser()
    if str(model) in pretrained_names() and not (path / "checkpoints").is_dir():  # a corpus beside us may be named so
        return load_bundle(_PRETRAINED / f"{model}.safetensors", plugins)
    if path.is_dir():
        recogniser = _from_checkpoint(best_of(path), plugins)
        recogniser.card = card_of(path) or recogniser.card
        return recogniser
    if path.suffix == ".pt":
        return _from_checkpoint(path, plugins)
    if path.suffix == ".safetensors":
        return load_bundle(path, plugins)
    if path.exists():
        raise CheckpointError(f"{path} is neither a run folder, nor a .pt checkpoint, nor a .safetensors bundle")
    names = pretrained_names()
    raise CheckpointError(
        f"no model '{model}': neither a file or run folder nor one of the pretrained models "
        f"({', '.join(names)}){nearest(str(model), names)}"
    )


def best_of(run: Path) -> Path:
    """The best checkpoint of a run folder.

    Raises:
        CheckpointError: there is none.
    """
    best = run / "checkpoints" / "best.pt"
    if not best.exists():
        raise CheckpointError(f"{run} is not a run folder with a finished epoch: there is no {best}")
    return best


def card_of(run: Path) -> dict[str, Any]:
    """What a finished run tells about its weights: how they were made, and every error rate that was measured."""
    path = run / "result.json"
    if not path.exists():
        return {}
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        told = {name: result[name] for name in ("recipe", "seed", "command", "commit", "date", "train_seconds")}
        rates = {split: part["rates"] for split, part in result["splits"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is not a result file of this package: {error!r}; run asr-evaluate {run}"
        ) from error
    return told | ({"unfinished": True} if result.get("unfinished") else {}) | {"rates": rates}


def state_of(recogniser: Recogniser) -> dict[str, Any]:
    """What a checkpoint must carry beside the network's weights: plain values and tensors."""
    return {
        "format": FORMAT,
        "config": recogniser.config,
        "inventory": recogniser.inventory.to_dict(),
        "card": recogniser.card,
        "normaliser": recogniser.normaliser.state_dict(),
    }


def _from_checkpoint(path: Path, plugins: Sequence[str]) -> Recogniser:
    saved = load_checkpoint(path)
    bundle, weights = saved.get("bundle"), saved.get("weights")
    if not isinstance(bundle, dict) or not isinstance(weights, dict):
        raise CheckpointError(f"{path} is no checkpoint of a recogniser: it has no `bundle` and `weights`")
    return _assemble(path, bundle, bundle.get("normaliser") or {}, weights, plugins)


def _assemble(
    path: Path,
    bundle: Mapping[str, Any],
    normaliser: Mapping[str, torch.Tensor],
    weights: Mapping[str, torch.Tensor],
    plugins: Sequence[str],
) -> Recogniser:
    if not _is_model(bundle):
        raise CheckpointError(f"{path} is not a '{FORMAT}' model; it was written by another program or version")
    allowed = (plugins,) if isinstance(plugins, str) else plugins  # "in" a string means a part of it
    wanted = [name for name in bundle["config"]["plugins"] if name not in allowed]
    if wanted:
        allow = " ".join(f"--plugin {name}" for name in wanted)
        raise CheckpointError(
            f"{path} needs code of the modules {', '.join(wanted)}; if you trust it, allow it: {allow} "
            f"(in Python: plugins={wanted})"
        )
    config = with_current_targets(bundle["config"])
    ours = not config["plugins"]  # then no memory is taken for a network that the file has no weights for
    try:
        inventory = Inventory.from_dict(bundle["inventory"])
        recogniser = Recogniser(config, inventory, bundle.get("card"), device="meta" if ours else "cpu")
        recogniser.normaliser.load_state_dict(dict(normaliser))
        recogniser.model.load_state_dict({name: value.float() for name, value in weights.items()}, assign=ours)
    except AsrError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:  # whoever wrote the file
        raise CheckpointError(
            f"{path}: the weights do not fit the configuration that comes with them: {error}"
        ) from error
    recogniser.model.eval()
    return recogniser


def _is_model(bundle: Any) -> bool:
    """Whether everything that `_assemble` looks at is there and of the right type."""
    config = bundle.get("config") if isinstance(bundle, dict) and bundle.get("format") == FORMAT else None
    if not isinstance(config, dict) or not all(isinstance(config.get(part), dict) for part in PARTS):
        return False
    plugins, card = config.get("plugins"), bundle.get("card")
    return (
        isinstance(plugins, list)
        and all(isinstance(name, str) for name in plugins)
        and isinstance(bundle.get("inventory"), dict)
        and (card is None or isinstance(card, dict))
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
    write_atomically(path, lambda file: file.write(content))


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
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError, ValueError, RecursionError) as error:  # RecursionError: JSON nested too deeply
        raise CheckpointError(f"{path} is not a whole bundle: {error}") from error
    prefix = "normaliser."
    statistics = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    try:
        weights = unpacked(tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    return _assemble(path, header, statistics, weights, plugins)
