"""Load a language model from a run folder, a checkpoint or a file, or by the name of one in the package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from asr.errors import CheckpointError
from asr.extras import require
from asr.lm.model import LanguageModel
from asr.lm.recurrent import RecurrentModel
from asr.lm.recurrent_file import model_of_file
from asr.lm.stored import load_model
from asr.recogniser.loading import best_of


def load_language_model(model: str | Path) -> LanguageModel:
    """Load a language model.

    Args:
        model: the run folder or a checkpoint (`.pt`) of a recurrent model; or a path or name for
            `asr.lm.stored.load_model`.

    Raises:
        ConfigError: there is no model of that name.
        DataError, CheckpointError: the file is missing or damaged, or contains no language model.
    """
    path = Path(model).expanduser()
    if path.is_dir() or path.suffix == ".pt":
        return load_trained(best_of(path) if path.is_dir() else path)
    return load_model(model)


def load_trained(checkpoint: Path) -> RecurrentModel:
    """Load the recurrent model of a checkpoint.

    Raises:
        CheckpointError: the file is missing or damaged, or contains no language model.
    """
    require("torch", what=f"{checkpoint}: a checkpoint")
    from asr.training.checkpoint import load_checkpoint  # only torch reads checkpoints

    saved = load_checkpoint(checkpoint)
    if not isinstance(saved.get("weights"), dict):
        raise CheckpointError(f"{checkpoint} is not a checkpoint of a language model: it has no weights")
    return model_of_file(checkpoint, saved.get("bundle"), _arrays(checkpoint, saved["weights"]))


def _arrays(checkpoint: Path, tensors: Mapping[Any, object]) -> dict[str, NDArray[Any]]:
    from torch import Tensor

    try:
        return {str(name): one.detach().numpy() for name, one in tensors.items() if isinstance(one, Tensor)}
    except (RuntimeError, TypeError) as error:  # tensors without plain memory
        raise CheckpointError(f"{checkpoint}: its weights are not plain arrays of numbers; train again") from error
