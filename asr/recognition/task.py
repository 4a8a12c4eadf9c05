"""Recognition with CTC as a task of the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from asr.corpus.utterance import Utterance
from asr.ctc.consistency import consistency_loss
from asr.ctc.loss import ctc_loss
from asr.features.cache import FrameCache
from asr.recognition.data import TrainingExamples
from asr.recognition.evaluate import decode
from asr.recognition.loading import state_of
from asr.recognition.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts
from asr.training.batches import Batch
from asr.training.task import DevResult, Loss


class RecognitionTask:
    """Train a recogniser's network with CTC; the dev set's error rate picks the best epoch.

    Args:
        recogniser: its network is trained in place.
        examples: the training data.
        dev: development utterances and their frames.
        rate: the error rate to watch, a name of `asr.scoring.named_rates`.
        consistency: weight of the consistency between the two views that `examples` give; 0: they give one.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        examples: TrainingExamples,
        dev: tuple[Sequence[Utterance], FrameCache],
        rate: str,
        consistency: float = 0.0,
    ) -> None:
        self.recogniser, self.examples, self.rate = recogniser, examples, rate
        self._consistency = consistency
        self._dev_utterances, self._dev_cache = dev

    @property
    def model(self) -> nn.Module:
        """The network."""
        return self.recogniser.model  # type: ignore[no-any-return]

    def loss(self, batch: Batch) -> Loss:
        """CTC losses of a batch, and the share of its frames whose best label is the blank.

        Of two views an utterance's loss is the mean of theirs, and the weighted consistency.
        """
        blank = self.recogniser.inventory.blank
        log_probs, lengths = self.model(batch.frames, batch.lengths)
        losses = ctc_loss(log_probs, lengths, batch.labels, batch.label_lengths, blank)
        inside = torch.arange(log_probs.shape[1])[None, :] < lengths[:, None]
        best_is_blank = log_probs.detach().argmax(-1).cpu() == blank
        if self._consistency:
            (first, second), half = log_probs.chunk(2), len(losses) // 2
            apart = consistency_loss(first, second, lengths[:half])
            losses = 0.5 * (losses[:half] + losses[half:]) + self._consistency * apart
        return Loss(losses, {"blank": float(best_is_blank[inside].float().mean())})

    def evaluate_dev(self) -> DevResult:
        """Decode the dev set; summed errors / summed reference labels."""
        recognised = decode(self.recogniser, self._dev_utterances, self._dev_cache)
        counts = sum((one.count(self.rate) for one in recognised), ErrorCounts())
        details = {
            "deletions": float(counts.deletions),
            "insertions": float(counts.insertions),
            "substitutions": float(counts.substitutions),
        }
        return DevResult(counts.rate, self.rate, details)

    def bundle(self) -> dict[str, Any]:
        """See `asr.training.task.Task`."""
        return state_of(self.recogniser)
