"""Read and write bundles: `.safetensors` files with configuration, inventory, normalisation and weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.decoding.choice import DecoderChoice, Wish
from asr.decoding.files import saved_beside
from asr.engines.names import AUTO
from asr.errors import CheckpointError, ConfigError, one_line
from asr.files import check_readable, write_file
from asr.recogniser.assembly import assemble
from asr.recogniser.header import Header, read_header
from asr.recogniser.pretrained import pretrained_bundle, pretrained_names
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.stored_weights import packed, unpacked

STORES = ("float32", "float16", "int8")
"""The number formats in which a bundle may store the weights of the network."""

_NORMALISER = "normaliser."  # the prefix of the names of the normaliser's statistics


def save_bundle(
    recogniser: Recogniser, path: Path, store: str = "float32", on_copy: Callable[[Path], object] | None = None
) -> None:
    """Write a bundle.

    Files that the default decoder needs, such as a language model, are copied beside it, unless they come with this
    package.

    Args:
        recogniser: the recogniser to save.
        path: the file to write.
        store: the number format of the weights, one of `STORES`, see `asr.recogniser.stored_weights.packed`; loading
            converts them to float32.
        on_copy: called with the path of each copied file, see `asr.decoding.files.saved_beside`.

    Raises:
        ConfigError: `store` is not one of `STORES`, or the recogniser was loaded from an ONNX file, which does not hold
            the weights in the form that a bundle needs.
        DataError: the file cannot be written; an existing file is left as it was.
    """
    from safetensors.numpy import save

    if store not in STORES:
        raise ConfigError(
            f"a bundle cannot store its weights as {store}; give {', '.join(STORES[:-1])} or {STORES[-1]}"
        )
    network = recogniser.engines.network
    if network is None:
        raise ConfigError(
            "an .onnx file does not hold the weights that a bundle needs; export the model that it was made from"
        )
    tensors = {f"{_NORMALISER}{name}": value for name, value in recogniser.normaliser.state_dict().items()}
    tensors |= packed(network.weights, store)
    config = replace(recogniser.config, decoder=saved_beside(recogniser.config.decoder, path.parent, on_copy))
    header = Header(config, recogniser.card).to_dict()
    content = save({name: np.ascontiguousarray(one) for name, one in tensors.items()}, {"bundle": json.dumps(header)})
    write_file(path, content)


def bundle_of(model: str | Path) -> Path | None:
    """Return the path of a bundle, given its path or the name of a pretrained model; None for other models."""
    path = Path(model).expanduser()
    if str(model) in pretrained_names() and not (path / "checkpoints").is_dir():  # a corpus folder may have its name
        return pretrained_bundle(str(model))
    return path if path.suffix == ".safetensors" and not path.is_dir() else None


def with_decoder(
    bundle: Path, choice: DecoderChoice, out: Path, on_copy: Callable[[Path], object] | None = None
) -> None:
    """Write a copy of a bundle with another default decoder; the stored weights are not changed.

    Args:
        bundle: the path of the bundle.
        choice: the decoder; its files are copied beside the new bundle.
        out: the file to write; may be the same path.
        on_copy: called with the path of each copied file, see `asr.decoding.files.saved_beside`.

    Raises:
        CheckpointError: the bundle is missing or damaged.
        DataError: a file cannot be written; an existing file is left as it was.
    """
    from safetensors.numpy import save

    header, tensors = _read(bundle)
    read = read_header(bundle, header)
    component = saved_beside(choice.component, out.parent, on_copy)
    config = read.config.with_decoder(replace(choice, component=component))
    header = Header(config, read.card).to_dict()
    write_file(out, save(tensors, {"bundle": json.dumps(header)}))


def bundle_header(path: Path) -> Header:
    """Read the description of a bundle: its configuration and its card.

    Raises:
        CheckpointError: the file is missing, damaged or of another program.
    """
    header, _ = _read(path)
    return read_header(path, header)


def load_bundle(path: Path, plugins: Sequence[str] = (), engine: str = AUTO, decoder: Wish = None) -> Recogniser:
    """Read a bundle; nothing in it is executed.

    Args:
        path: the file.
        plugins: modules of the user that the configuration may name.
        engine: the engine to use, see `asr.engines.choice`.
        decoder: the decoder to use; None: the default that the bundle names.

    Raises:
        CheckpointError: the file is missing or damaged, another program wrote it, or the engine cannot run it.
        ConfigError: the decoder or one of its options does not exist.
    """
    header, tensors = _read(path)
    statistics = {key.removeprefix(_NORMALISER): one for key, one in tensors.items() if key.startswith(_NORMALISER)}
    try:
        weights = unpacked(tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    return assemble(path, header, statistics, weights, plugins, engine, decoder)


def _read(path: Path) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Read the header and the tensors of a bundle."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CheckpointError(f"no bundle at {path}")
    check_readable(path)
    try:
        with safe_open(str(path), framework="np") as file:
            header = json.loads((file.metadata() or {}).get("bundle", "{}"))
            # Copied: tensors may be mapped from the file, and truncating a mapped file would end this process.
            tensors = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        # TypeError: a number type that NumPy lacks; RecursionError: JSON nested too deeply
        raise CheckpointError(f"{path} is not a complete bundle: {one_line(error)}") from error
    return header, tensors
