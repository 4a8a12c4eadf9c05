"""A prefix beam search that is small enough to be seen right: the second user of the decoders' interface.

Graves 2012 ("Supervised sequence labelling with recurrent neural networks", section 7.5): a labelling's probability is
the sum over its paths, kept apart by whether the last frame was blank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.decoding.hypothesis import Hypothesis, Score

Prefix = tuple[int, ...]


class ToyBeam:
    """Keeps the `width` likeliest prefixes."""

    def __init__(self, inventory: Inventory, width: int = 100) -> None:
        self.inventory, self.width = inventory, width

    def begin(self, frame_seconds: float, offset: float = 0.0) -> ToySearch:
        return ToySearch(self)


class ToySearch:
    """Probabilities of prefixes that end in blank, and in their last label."""

    def __init__(self, beam: ToyBeam) -> None:
        self._beam = beam
        self._kept: dict[Prefix, tuple[float, float]] = {(): (1.0, 0.0)}

    def step(self, log_probs: NDArray[np.float32]) -> None:
        for frame in np.exp(log_probs.astype(np.float64)):
            self._kept = self._after(frame)

    def _after(self, frame: NDArray[np.float64]) -> dict[Prefix, tuple[float, float]]:
        blank = self._beam.inventory.blank
        found: dict[Prefix, list[float]] = {}
        for prefix, (in_blank, in_label) in self._kept.items():
            found.setdefault(prefix, [0.0, 0.0])[0] += (in_blank + in_label) * frame[blank]
            for label, probability in enumerate(frame):
                if label == blank:
                    continue
                if prefix and prefix[-1] == label:
                    found.setdefault(prefix, [0.0, 0.0])[1] += in_label * probability
                    found.setdefault((*prefix, label), [0.0, 0.0])[1] += in_blank * probability
                else:
                    found.setdefault((*prefix, label), [0.0, 0.0])[1] += (in_blank + in_label) * probability
        best = sorted(found, key=lambda prefix: -sum(found[prefix]))[: self._beam.width]
        return {prefix: (found[prefix][0], found[prefix][1]) for prefix in best}

    @property
    def text(self) -> str:
        return self.end()[0].text

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        ranked = sorted(self._kept, key=lambda prefix: -sum(self._kept[prefix]))
        return [self._hypothesis(prefix) for prefix in ranked[:n_best]]

    def _hypothesis(self, prefix: Prefix) -> Hypothesis:
        labels = self._beam.inventory.decode(prefix)
        with np.errstate(divide="ignore"):
            score = Score(float(np.log(sum(self._kept[prefix]))))
        return Hypothesis(labels, self._beam.inventory.text(labels), score, ())
