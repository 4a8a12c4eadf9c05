"""Find and load a recogniser: a run folder, a checkpoint, a bundle, an ONNX file, or the name of a pretrained one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asr.config import check_plugins, nearest
from asr.decoding.choice import Wish
from asr.engines.choice import check_engine
from asr.engines.names import AUTO
from asr.errors import CheckpointError
from asr.extras import require
from asr.recogniser.assembly import PLAIN
from asr.recogniser.bundle import bundle_of, load_bundle
from asr.recogniser.pretrained import pretrained_names
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.saved_decoder import with_decoder_of


def load(
    model: str | Path,
    plugins: Sequence[str] = (),
    decoder: Wish = None,
    engine: str = AUTO,
) -> Recogniser:
    """Load a recogniser for inference.

    Args:
        model: a run folder, a checkpoint (`.pt`), a bundle (`.safetensors`), an exported network (`.onnx`), or the name
            of a pretrained model. A run folder with this name takes precedence over a pretrained model.
        plugins: modules of your own that the configuration of the model may name.
        decoder: the decoder to use: its name, options as on a command line (`["decoder=greedy"]`), or a component;
            None: the default of the model or, for a run folder, the decoder that `asr-tune` saved there.
        engine: the engine to use: `numpy`, `torch` or `onnx`; `auto`: the one that suits the work.

    Raises:
        CheckpointError: the model is missing or damaged, or names code outside this package and the plugins; or the
            engine cannot run it.
        ConfigError: the engine, the decoder or one of its options does not exist.

    >>> load("an4").inventory.unit
    'characters'
    """
    check_engine(engine)
    plugins = (plugins,) if isinstance(plugins, str) else plugins
    check_plugins(plugins)
    path = Path(model).expanduser()
    if (bundle := bundle_of(model)) is not None:
        return load_bundle(bundle, plugins, engine, decoder)
    if path.is_dir():
        return with_decoder_of(path, _of_checkpoint(best_of(path), plugins, engine, PLAIN), decoder, plugins)
    if path.suffix == ".pt":
        return _of_checkpoint(path, plugins, engine, decoder)
    if path.suffix == ".onnx":
        from asr.recogniser.onnx_loading import load_onnx  # imported here, because no other model needs it

        return load_onnx(path, plugins, engine, decoder)
    if path.exists():
        raise CheckpointError(f"{path} is no model; expected a run folder or a .pt, .safetensors or .onnx file")
    names = pretrained_names()
    raise CheckpointError(
        f"no model '{model}'; expected a file, a run folder or one of the pretrained models "
        f"{', '.join(names)}{nearest(str(model), names)}"
    )


def _of_checkpoint(path: Path, plugins: Sequence[str], engine: str, decoder: Wish) -> Recogniser:
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    require("torch", what=f"{path}: a checkpoint")
    from asr.recogniser.checkpoints import load_recogniser  # only torch reads checkpoints

    return load_recogniser(path, plugins, engine, decoder)


def best_of(run: Path) -> Path:
    """Return the path of the best checkpoint of a run folder.

    Raises:
        CheckpointError: the folder has no such checkpoint.
    """
    best = run / "checkpoints" / "best.pt"
    if not best.exists():
        raise CheckpointError(f"{run} is not a run folder with a finished epoch: {best} is missing")
    return best
