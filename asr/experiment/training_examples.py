"""Training data of a recogniser: batches of cached and augmented frames."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.experiment.sampling import Turns
from asr.features.cache import FrameCache
from asr.features.sound.augment import Augmenter
from asr.recogniser.recogniser import Recogniser
from asr.training.batches import Batch, collate


class TrainingExamples:
    """The training utterances in batches; augmentation depends only on the seed, the epoch and the utterance's id.

    Args:
        recogniser: the source of normaliser, stacking and inventory; the normaliser must be fitted.
        utterances: utterances with transcripts that the inventory can spell.
        cache: the frames of the utterances, in the same order.
        augmenter: the augmentation of the frames in each epoch.
        views: the number of copies of each utterance in a batch, with different masks; all first copies come first.
        without: indices of utterances to leave out.
        turns: the choice of utterances for each epoch; None for all.

    Attributes:
        sizes: the number of frames of each utterance that is not left out, summed over its views.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        utterances: Sequence[Utterance],
        cache: FrameCache,
        augmenter: Augmenter,
        views: int = 1,
        without: Collection[int] = (),
        turns: Turns | None = None,
    ) -> None:
        self._recogniser, self._utterances, self._cache, self._augmenter = recogniser, utterances, cache, augmenter
        self._views = views
        self._chosen = [i for i in range(len(utterances)) if i not in without]
        self._labels = {i: recogniser.inventory.encode(utterances[i]) for i in self._chosen}
        self._turns, self._place = turns, {index: place for place, index in enumerate(self._chosen)}
        self.sizes = [views * recogniser.stacking.out_length(cache.n_frames(i)) for i in self._chosen]

    def chosen(self, epoch: int) -> Sequence[int]:
        """Return the utterances that an epoch uses, as indices into `sizes`.

        Raises:
            ConfigError: the epoch uses no utterance.
        """
        if self._turns is None:
            return range(len(self.sizes))
        found = [self._place[index] for index in self._turns.chosen(epoch) if index in self._place]
        if not found:
            raise ConfigError(
                f"sampling.shares: epoch {epoch + 1} uses none of {len(self.sizes)} training utterances; raise a share"
            )
        return found

    def load_batch(self, indices: Sequence[int], epoch: int) -> Batch:
        """Return the batch of the utterances with these indices into `sizes`, augmented for an epoch."""
        indices = [self._chosen[place] for place in indices]
        frames = [self._frames(index, epoch) for index in indices]
        return collate(
            [views[number] for number in range(self._views) for views in frames],
            [self._labels[index] for index in indices] * self._views,
            [self._utterances[index].id for index in indices],
            self._recogniser.inventory.blank,
        )

    def _frames(self, index: int, epoch: int) -> list[NDArray[np.float32]]:
        """Return the augmented views of an utterance, each (T, F)."""
        utterance = self._utterances[index]
        plan = self._augmenter.plan(epoch, utterance.id)
        raw = self._augmenter.raw_frames(plan, utterance, index, self._cache, self._recogniser.extractor)
        normalised = self._recogniser.normaliser.apply(raw, utterance.speaker)
        views = [self._augmenter.mask(plan, normalised, number) for number in range(self._views)]
        return [self._recogniser.stacking(view) for view in views]
