"""Training a recogniser with CTC, as a task of the training loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from asr.corpus.utterance import Utterance
from asr.ctc.consistency import consistency_loss
from asr.ctc.loss import ctc_loss
from asr.evaluation.split import decode
from asr.experiment.training_examples import TrainingExamples
from asr.features.cache import FrameCache
from asr.recogniser.checkpoints import state_of
from asr.recogniser.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts
from asr.training.batches import Batch
from asr.training.task import DevResult, Loss, SavedValue, Units, WeightedSum

BLANK_HINT_STEPS = 400
BLANK_HINT = (
    "the model still emits only blanks; this is normal at first, and ends with a sudden fall of the loss. "
    "If it lasts, raise the learning rate or the number of epochs, or check that transcripts match their recordings"
)
_BLANK_SHARE = "blank_share"  # share of the frames whose best label is the blank


class CtcTask:
    """The task of training a recogniser's network with CTC; the error rate on dev picks the best epoch.

    Args:
        recogniser: the recogniser whose engine runs `model`; it decodes the dev set.
        model: the network, trained in place.
        examples: the training data.
        dev: the development utterances and their frames.
        rate: the error rate that picks the best epoch, a name of `asr.scoring.named_rates`.
        consistency: the weight of the consistency loss between the two views from `examples`; 0 for a single view.
    """

    units = Units(items="utterances", size="frames")

    def __init__(
        self,
        recogniser: Recogniser,
        model: nn.Module,
        examples: TrainingExamples,
        dev: tuple[Sequence[Utterance], FrameCache],
        rate: str,
        consistency: float = 0.0,
    ) -> None:
        self.recogniser, self.model, self.examples, self.rate = recogniser, model, examples, rate
        self._consistency = consistency
        self._dev_utterances, self._dev_cache = dev
        self._blank_steps = 0  # number of latest steps in a row with only blanks on the best paths

    def loss(self, batch: Batch) -> Loss:
        """Compute the CTC loss of each utterance, and the share of frames whose best label is the blank.

        With two views of an utterance, its loss is the mean of both CTC losses plus the weighted consistency loss.
        """
        blank = self.recogniser.inventory.blank
        log_probs, lengths = self.model(batch.frames, batch.lengths)
        losses = ctc_loss(log_probs, lengths, batch.labels, batch.label_lengths, blank)
        inside = torch.arange(log_probs.shape[1])[None, :] < lengths[:, None]
        best_is_blank = log_probs.detach().argmax(-1).cpu() == blank
        if self._consistency:
            (first, second), half = log_probs.chunk(2), len(losses) // 2
            divergence = consistency_loss(first, second, lengths[:half])
            losses = 0.5 * (losses[:half] + losses[half:]) + self._consistency * divergence
        share = float(best_is_blank[inside].float().mean())
        return Loss(losses, {_BLANK_SHARE: WeightedSum.of(share, batch.size)})

    def after_step(self, loss: Loss) -> str:
        """Return a hint for the user after every `BLANK_HINT_STEPS` steps in a row with only blanks; else ''."""
        self._blank_steps = self._blank_steps + 1 if loss.logged[_BLANK_SHARE].mean == 1.0 else 0
        return BLANK_HINT if self._blank_steps and self._blank_steps % BLANK_HINT_STEPS == 0 else ""

    def evaluate_dev(self) -> DevResult:
        """Decode the dev set; return summed errors / summed reference length, with the counts as details."""
        recognised = decode(self.recogniser, self._dev_utterances, self._dev_cache)
        counts = sum((one.count(self.rate) for one in recognised), ErrorCounts())
        details = {
            "deletions": float(counts.deletions),
            "insertions": float(counts.insertions),
            "substitutions": float(counts.substitutions),
        }
        text = f"{self.rate.replace('_', ' ')} {100 * counts.rate:.1f} %"
        return DevResult(counts.rate, self.rate, text, details)

    def describe(self, logged: Mapping[str, float]) -> str:
        """Return the share of blanks as text for the progress line."""
        return f"blank {100 * logged[_BLANK_SHARE]:5.1f} %"

    def bundle(self) -> Mapping[str, SavedValue]:
        """Return the recogniser without its weights, for checkpoints."""
        return state_of(self.recogniser)

    def state_dict(self) -> Mapping[str, SavedValue]:
        """Return the number of latest steps with only blanks."""
        return {"blank_steps": self._blank_steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        self._blank_steps = int(state["blank_steps"])
