"""A training run of a recogniser, in a run folder from which it can be resumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import torch

from asr.config import build, check_plugins
from asr.corpus.checks import check_utterances
from asr.corpus.faults import read_skipped
from asr.corpus.inventory import BLANK, Inventory
from asr.corpus.manifest import read_manifest
from asr.corpus.phonemes import fold
from asr.corpus.splits import SPLITS, Corpus
from asr.corpus.utterance import Utterance
from asr.ctc.guard import unfit
from asr.engines.engine import EngineChoice
from asr.engines.pool import Engines
from asr.engines.torch import TorchEngine, build_module
from asr.errors import AsrError, ConfigError, DataError, Problems
from asr.evaluation.split import Progress
from asr.experiment.corpus_splits import load_splits
from asr.experiment.ctc_task import CtcTask
from asr.experiment.option_checks import build_augmenter, check_options
from asr.experiment.run_config import RunConfig
from asr.experiment.run_folder import RunFolder
from asr.experiment.sampling import Turns, without_unused
from asr.experiment.training_examples import TrainingExamples
from asr.experiment.warm_start import take_weights
from asr.features.cache import FrameCache
from asr.recogniser.loading import load
from asr.recogniser.parts import parts_of
from asr.recogniser.recogniser import Recogniser
from asr.scoring.named_rates import check_labels
from asr.seeds import derive_seed
from asr.training.loop import Trainer
from asr.training.state import State
from asr.training.watching import Watcher


class Experiment:
    """A training run: the corpus, recogniser, frames, optimiser and run folder, ready to train.

    The constructor makes the cheap checks first, so that most errors appear before the corpus is read.

    Args:
        config: the whole configuration.
        folder: the run folder; an unfinished run in it with the same configuration is resumed.
        on_progress: a function called with `(what, done, total)` during long preparations.
        options: the command-line options that change the recipe; the result reports them.

    Attributes:
        new_labels: the number of labels that the model of `init` has no weights for; all labels without `init`.

    Raises:
        ConfigError: lists every invalid option.
        DataError: the corpus or the run folder is invalid.
    """

    def __init__(self, config: RunConfig, folder: Path, on_progress: Progress, options: Sequence[str] = ()) -> None:
        self.config, self.on_progress = config, on_progress
        check_plugins(config.plugins)
        if config.training.threads:
            torch.set_num_threads(config.training.threads)
        self.run = RunFolder(folder)
        self.run.check(config)
        source = self._source()
        check_options(config, source)  # before the corpus is read
        self.corpus = self._read_corpus()
        inventory = self._inventory()
        check_utterances(self.splits, inventory)
        check_labels(config.scoring.rates, inventory.labels[1:], inventory.unit, fold)
        self._turns = Turns(config.sampling, self.splits["train"], config.training.seed)
        self._build(inventory, source)
        self.caches = {name: self._cache(name) for name in SPLITS}
        self._fit_normaliser()
        self._skipped = self._guard()
        with self.run.alone():
            self.run.check(config)  # again: another process may have begun a run here meanwhile
            if not self.run.started:
                self.run.begin(config, self.corpus, options)

    @property
    def inventory(self) -> Inventory:
        """The labels of the training set."""
        return self.recogniser.inventory

    @property
    def left_out(self) -> list[str]:
        """A sentence on each training utterance that `loss.skip_unfit` leaves out."""
        return list(self._skipped.values())

    def train(self, watcher: Watcher) -> State:
        """Train until the run is finished, starting from its last checkpoint if there is one.

        Args:
            watcher: the display to report progress to.

        Raises:
            asr.training.loop.Stopped: a signal stopped the training.
            TrainingError: a loss or gradient is not finite.
        """
        weight = self.config.loss.consistency
        views = 2 if weight else 1
        task = CtcTask(
            self.recogniser,
            self.model,
            TrainingExamples(
                self.recogniser,
                self.splits["train"],
                self.caches["train"],
                self.augmenter,
                views,
                self._skipped,
                self._turns,
            ),
            (self.splits["dev"], self.caches["dev"]),
            self.config.scoring.rates[0],
            weight,
        )
        trainer = Trainer(task, self.config.training, self.optimizer, self.schedule, self.run.path, watcher)
        with self.run.alone():
            if trainer.resume() and not trainer.finished:
                self.run.record_resume()
            return trainer.run()

    def _source(self) -> Recogniser | None:
        """Load the model of `init`, whose weights training starts from; return None without `init`."""
        model = self.config.init
        try:
            return None if model is None else load(model, self.config.plugins)
        except AsrError as error:
            raise ConfigError(f"init={model}: {error}") from error

    def _build(self, inventory: Inventory, source: Recogniser | None) -> None:
        """Build the network with its initial weights, the recogniser, the augmenter, the optimiser and the schedule."""
        config = self.config
        recogniser_config = config.recogniser(inventory)
        parts = parts_of(recogniser_config)
        torch.manual_seed(derive_seed(config.training.seed, "weights"))
        self.model = build_module(config.model, parts.n_features, len(inventory), config.plugins)
        self.new_labels = len(inventory) if source is None else take_weights(self.model, inventory, source)
        self.augmenter = build_augmenter(config, parts.extractor)
        self.model.to(config.training.device)
        running = (TorchEngine(self.model), EngineChoice("torch", "the network is in training"))
        self.recogniser = Recogniser.of(recogniser_config, parts, Engines(None, only=running))
        self.optimizer = build(config.optimizer, config.plugins, parameters=self.model.parameters())
        self.schedule = build(config.schedule, config.plugins)

    @property
    def splits(self) -> Mapping[str, Sequence[Utterance]]:
        """The utterances of train, dev and test."""
        return self.corpus.splits

    def _read_corpus(self) -> Corpus:
        if self.run.started:
            splits = {name: read_manifest(self.run.data / f"{name}.jsonl") for name in SPLITS}
            return Corpus(splits, tuple(read_skipped(self.run.data)))
        corpus = load_splits(self.config.corpus, self.config.plugins, self.on_progress)
        train = without_unused(self.config.sampling, corpus.splits["train"])
        return replace(corpus, splits={**corpus.splits, "train": train})

    def _inventory(self) -> Inventory:
        """Collect the labels of the training utterances, without faulty ones; `check_utterances` reports those."""
        unit, fold = self.config.inventory.unit, self.config.inventory.fold
        spelling = Inventory((BLANK,), unit, fold)  # type: ignore[arg-type]  # checked before

        def can_be_spelled(utterance: Utterance) -> bool:
            try:
                spelling.symbols_of(utterance)
            except DataError:
                return False
            return True

        return Inventory.from_utterances(filter(can_be_spelled, self.splits["train"]), spelling.unit, fold)

    def _cache(self, split: str) -> FrameCache:
        return FrameCache.open(
            self.splits[split],
            self.recogniser.extractor,
            self.config.frames_folder,
            speeds=self.augmenter.speeds if split == "train" else (1.0,),
            on_progress=lambda done, total: self.on_progress(f"frames of {split}", done, total),
        )

    def _fit_normaliser(self) -> None:
        """Fit the normaliser on train.

        A normaliser with statistics of each speaker also needs the speakers of dev; the evaluation adds those of test.
        """
        names = ("train", "dev") if self.recogniser.normaliser.per == "speaker" else ("train",)
        frames = chain.from_iterable(self.caches[name].by_speaker() for name in names)
        self.recogniser = replace(self.recogniser, normaliser=self.recogniser.normaliser.fitted(frames))

    def _guard(self) -> dict[int, str]:
        """Find utterances that are too short for CTC at any speed that training uses.

        Returns:
            The training utterances to leave out, in the form of `_unfit`; empty without `loss.skip_unfit`.

        Raises:
            Problems: there are such utterances, and `loss.skip_unfit` is false; or all training utterances are such.
        """
        short = self._unfit("train")
        if self.config.loss.skip_unfit:
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
        """Return the utterances of a split that are too short for their labels: index to message."""
        cache, utterances = self.caches[name], self.splits[name]
        fewest = [min(cache.n_frames(i, speed) for speed in cache.speeds) for i in range(len(utterances))]
        stacked = [self.model.out_length(self.recogniser.stacking.out_length(n)) for n in fewest]
        return unfit([one.id for one in utterances], stacked, [self.inventory.encode(one) for one in utterances])
