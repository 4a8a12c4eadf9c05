"""One run from corpus to error rates, in a run folder that can be resumed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from asr.config import build, check_plugins
from asr.corpus.checks import check_utterances
from asr.corpus.inventory import BLANK, Inventory
from asr.corpus.manifest import read_manifest
from asr.corpus.phonemes import fold
from asr.corpus.utterance import Utterance
from asr.ctc.guard import unfit
from asr.errors import AsrError, ConfigError, DataError, Problems
from asr.features.augment import Augmenter
from asr.features.cache import FrameCache
from asr.recognition.corpora import CorpusConfig, Splits, load_splits
from asr.recognition.data import TrainingExamples
from asr.recognition.initial import take_weights
from asr.recognition.loading import load
from asr.recognition.recogniser import PARTS, Recogniser
from asr.recognition.run_folder import RunFolder, frames_folder
from asr.recognition.task import RecognitionTask
from asr.scoring.named_rates import check_labels, check_rates
from asr.seeds import derive_seed
from asr.training.loop import State, Trainer, TrainingConfig, Watcher
from data_prep.corpora import SPLITS

Progress = Callable[[str, int, int], None]


@dataclass
class InventoryConfig:
    """What the labels are."""

    unit: str = "labels"  # "labels" (phonemes of the corpus) or "characters" of the text
    fold: str | None = None  # a table of asr/corpus/phonemes.py for the labels; it also fixes the whole set


@dataclass
class LossConfig:
    """What is minimised beside the CTC loss."""

    consistency: float = 0.0
    """Weight of the divergence between two masked views of each utterance (Yao et al. 2025; 0.2 there). Each view is a
    reading of its own, so an epoch takes twice as long; 0: one view and no such term."""

    skip_unfit: bool = False  # leave out training utterances too short for their labels, instead of refusing them all

    def __post_init__(self) -> None:
        if not 0 <= self.consistency < math.inf:
            raise ConfigError(f"loss.consistency={self.consistency}; expected 0 or more, such as 0.2")


@dataclass
class ScoringConfig:
    """Which error rates are reported."""

    rates: list[str] = field(default_factory=lambda: ["per"])  # the first one picks the best epoch on dev


class Experiment:
    """Everything that a run needs, made in the order in which it can go wrong most cheaply.

    Args:
        config: the whole composed configuration, plain values.
        folder: the run folder; an unfinished run in it is resumed when its configuration is the same.
        on_progress: hears `(what, done, total)` of long preparations.
        options: in what the run departs from its recipe, as on a command line; its result tells them.

    Attributes:
        new_labels: how many labels `init` knows no weights for; all of them without it.
    """

    def __init__(
        self, config: Mapping[str, Any], folder: Path, on_progress: Progress, options: Sequence[str] = ()
    ) -> None:
        self.config, self.on_progress = config, on_progress
        self.training = TrainingConfig(**config["training"])
        self.loss = LossConfig(**config["loss"])
        self.rates: list[str] = list(config["scoring"]["rates"])
        self.plugins: list[str] = list(config["plugins"])
        check_plugins(self.plugins)
        check_rates(self.rates, config["inventory"]["unit"])
        if self.training.threads:
            torch.set_num_threads(self.training.threads)
        self.run = RunFolder(folder)
        self.run.check(config)
        source = self._source()
        self._build(Inventory((BLANK,), **config["inventory"]), source)  # what cannot be shows before a corpus is read
        self.splits = self._splits()
        self.inventory = self._inventory()
        check_utterances(self.splits, self.inventory)
        check_labels(self.rates, self.inventory.labels[1:], self.inventory.unit, fold)
        self._build(self.inventory, source)
        self.caches = {name: self._cache(name) for name in SPLITS}
        self._fit_normaliser()
        self._skipped = self._guard()
        with self.run.alone():
            self.run.check(config)  # again: somebody else may have begun a run here meanwhile
            if not self.run.started:
                self.run.begin(config, self.splits, options)

    @property
    def left_out(self) -> list[str]:
        """A sentence for each training utterance that `loss.skip_unfit` leaves out."""
        return list(self._skipped.values())

    def train(self, watcher: Watcher) -> State:
        """Train to the end, or from where the run stands to the end."""
        weight = self.loss.consistency
        views = 2 if weight else 1
        task = RecognitionTask(
            self.recogniser,
            TrainingExamples(
                self.recogniser, self.splits["train"], self.caches["train"], self.augmenter, views, self._skipped
            ),
            (self.splits["dev"], self.caches["dev"]),
            self.rates[0],
            weight,
        )
        trainer = Trainer(task, self.training, self.optimizer, self.schedule, self.run.path, watcher)
        with self.run.alone():
            if trainer.resume() and not trainer.finished:
                self.run.go_on()
            return trainer.run()

    def _source(self) -> Recogniser | None:
        """The model whose weights training begins with."""
        model = self.config["init"]
        try:
            return None if model is None else load(model, self.plugins)
        except AsrError as error:
            raise ConfigError(f"init={model}: {error}") from error

    def _build(self, inventory: Inventory, source: Recogniser | None) -> None:
        """All parts: the recogniser, with the weights that it begins with, and what trains it."""
        config = self.config
        torch.manual_seed(derive_seed(self.training.seed, "weights"))
        self.recogniser = Recogniser({part: config[part] for part in PARTS} | {"plugins": self.plugins}, inventory)
        self.new_labels = len(inventory) if source is None else take_weights(self.recogniser, source, config["init"])
        extractor = self.recogniser.extractor
        self.augmenter: Augmenter = build(
            config["augment"], self.plugins,
            seed=self.training.seed, blocks=extractor.blocks, centres=extractor.centres,
        )  # fmt: skip
        if self.loss.consistency and not self.augmenter.masks_anything:
            raise ConfigError(
                "loss.consistency compares two masked views of an utterance, and nothing is masked: set"
                " augment.time_masks and augment.time_mask_frames, or augment=strong"
            )
        self.recogniser.model.to(self.training.device)
        self.optimizer = build(config["optimizer"], self.plugins, parameters=self.recogniser.model.parameters())
        self.schedule = build(config["schedule"], self.plugins)

    def _splits(self) -> Splits:
        if self.run.started:
            return {name: read_manifest(self.run.manifests / f"{name}.jsonl") for name in SPLITS}
        return load_splits(CorpusConfig(**self.config["corpus"]), self.plugins, self.on_progress)

    def _inventory(self) -> Inventory:
        """Of the training utterances that can be spelled; the check behind it tells all others together."""
        spelling = Inventory((BLANK,), **self.config["inventory"])

        def can_be_spelled(utterance: Utterance) -> bool:
            try:
                spelling.symbols_of(utterance)
            except DataError:
                return False
            return True

        return Inventory.from_utterances(filter(can_be_spelled, self.splits["train"]), **self.config["inventory"])

    def _cache(self, split: str) -> FrameCache:
        return FrameCache.open(
            self.splits[split],
            self.recogniser.extractor,
            frames_folder(self.config),
            speeds=self.augmenter.speeds if split == "train" else (1.0,),
            on_progress=lambda done, total: self.on_progress(f"frames of {split}", done, total),
        )

    def _fit_normaliser(self) -> None:
        """On the training set; for speakers' own statistics dev counts too, and test is left to the evaluation."""
        names = ("train", "dev") if self.recogniser.normaliser.per == "speaker" else ("train",)
        self.recogniser.normaliser.fit(
            (utterance.speaker, self.caches[name].frames(i))
            for name in names
            for i, utterance in enumerate(self.splits[name])
        )

    def _guard(self) -> dict[int, str]:
        """Find utterances that CTC cannot align, at every speed that training will use: refuse them, or leave them out.

        Returns:
            those of the training set that are left out, as `_unfit`.
        """
        short = self._unfit("train")
        if self.loss.skip_unfit:
            if len(short) == len(self.splits["train"]):
                raise Problems(list(short.values()), "the training data: all recordings are too short")
            return short
        if problems := [*short.values(), *self._unfit("dev").values()]:
            raise Problems(
                problems,
                "the training data: recordings too short for their labels (loss.skip_unfit=true leaves them out)",
            )
        return {}

    def _unfit(self, name: str) -> dict[int, str]:
        """Utterances of a split that are too short, by index: what is wrong."""
        cache, utterances = self.caches[name], self.splits[name]
        fewest = [min(cache.n_frames(i, speed) for speed in cache.speeds) for i in range(len(utterances))]
        stacked = [self.recogniser.model.out_length(self.recogniser.stacking.out_length(n)) for n in fewest]
        return unfit([one.id for one in utterances], stacked, [self.inventory.encode(one) for one in utterances])
