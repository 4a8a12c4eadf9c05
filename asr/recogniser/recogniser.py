"""A recogniser: everything between a recording and its text, built from one configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.config import Faults, build
from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.decoding.choice import DecoderChoice, named
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.search import Decoder, decode
from asr.engines.torch import TorchEngine
from asr.errors import ConfigError, DataError
from asr.features.extractor import PointIndexed
from asr.recogniser.batching import placed, transcribe_each
from asr.recogniser.card import Card
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.sources import Source, raw_frames, several


class Recogniser:
    """Extractor, normaliser, frame stacking, network and decoder, with the inventory that they share.

    Args:
        config: what the recogniser is.
        decoder: the decoder to use; None: the one that the configuration names as its default.
        card: what is known of the weights (data, licence, error rates), shown to whoever loads them.
        device: where the network's weights are made; on `meta` they have shapes only and wait for those of a file.

    Raises:
        ConfigError: names every option that a component does not have or refuses.
    """

    def __init__(
        self,
        config: RecogniserConfig,
        decoder: DecoderChoice | None = None,
        card: Card | None = None,
        device: str = "cpu",
    ) -> None:
        self.config = config
        self.card = card or Card()
        plugins, faults = config.plugins, Faults()
        with faults.noted("features"):
            self.extractor = build(config.features, plugins)
        with faults.noted("normaliser"):
            self.normaliser = build(config.normaliser, plugins)
        with faults.noted("stacking"):
            self.stacking = build(config.stacking, plugins)
        with faults.noted("decoder"):
            self.use_decoder(decoder or named(config.decoder))
        faults.check()
        with faults.noted("model"), torch.device(device):
            self.model = build(
                config.model,
                plugins,
                n_features=self.extractor.dim * self.stacking.width,
                n_labels=len(config.inventory),
                plugins=plugins,
            )
        faults.check()

    @property
    def inventory(self) -> Inventory:
        """The labels that the network gives posteriors for."""
        return self.config.inventory

    def use_decoder(self, choice: DecoderChoice, plugins: Sequence[str] = ()) -> None:
        """Decode with another decoder from now on.

        Args:
            choice: the decoder.
            plugins: modules of the user's that may hold it, beside those of the model.

        Raises:
            ConfigError: it does not exist, or has no such option.
        """
        self.decoder: Decoder = build(
            choice.component, (*self.config.plugins, *plugins), inventory=self.config.inventory
        )
        self.decoder_choice = choice

    @property
    def frame_seconds(self) -> float:
        """Distance between two posteriors: seconds (audio) or frames of the extractor (ink)."""
        return float(self.extractor.frame_shift * self.stacking.stride * self.model.time_reduction)

    def frames(self, raw: Tensor | NDArray[np.float32], speaker: str | None = None) -> Tensor:
        """Normalise and stack the extractor's frames (T, F); the network's input (T', F')."""
        return self.stacking(self.normaliser.apply(raw, speaker))  # type: ignore[no-any-return]

    def prepare(self, bfloat16: bool = False) -> bool:
        """Recognise faster from now on, which takes a second or two first: see `RecurrentStack.prepare`.

        Returns:
            Whether there is a faster way on this machine, and for this network.
        """
        return self.engine.prepare(bfloat16)

    @property
    def engine(self) -> TorchEngine:
        """What runs the network."""
        return TorchEngine(self.model)

    def posteriors(self, frames: Sequence[Tensor]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Compute the log posteriors of some utterances' stacked frames, each (T_b, F').

        Returns:
            (B, T', L) float32, and (B,) lengths.
        """
        lengths = np.array([len(one) for one in frames], dtype=np.int64)
        padded = torch.nn.utils.rnn.pad_sequence(list(frames), batch_first=True)
        log_probs, lengths = self.engine.posteriors(padded.numpy(), lengths)
        if np.isnan(log_probs).any():
            raise DataError(
                "the network computes no numbers from these frames; its weights are damaged or have diverged"
            )
        return log_probs, lengths

    def recognise(
        self, frames: Sequence[Tensor], offset: float | Sequence[float] = 0.0, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """Decode some utterances' stacked frames.

        Args:
            frames: (T_b, F') of each utterance.
            offset: seconds at each utterance's first frame.
            n_best: how many hypotheses of an utterance are wanted at most.

        Returns:
            the hypotheses of each utterance, best first; their times are seconds, or frames of ink.
        """
        log_probs, lengths = self.posteriors(frames)
        return decode(self.decoder, log_probs, lengths, self.frame_seconds, offset, n_best)

    @property
    def reads_ink(self) -> bool:
        """Whether it reads pen strokes; recordings otherwise."""
        return isinstance(self.extractor, PointIndexed)

    @overload
    def transcribe(  # type: ignore[overload-overlap]  # a str holds str; one source is looked for first
        self, source: Source, channel: int | None = None, speaker: str | None = None, rate: int | None = None
    ) -> Hypothesis: ...
    @overload
    def transcribe(
        self, source: Iterable[Source], channel: int | None = None, speaker: str | None = None, rate: int | None = None
    ) -> list[Hypothesis]: ...
    def transcribe(
        self,
        source: Source | Iterable[Source],
        channel: int | None = None,
        speaker: str | None = None,
        rate: int | None = None,
    ) -> Hypothesis | list[Hypothesis]:
        """Recognise one recording, or the ink of one word or line (`asr.recogniser.page` reads pages), or many.

        Args:
            source: of recordings: a file; an utterance of a manifest; samples, with `rate`; (samples, rate); a
                dictionary with `array` and `sampling_rate`, or with `path` or `bytes`; the bytes of a sound file; a
                binary file object (see `asr.audio.sound_of`). Sound at another rate is resampled.
                Of ink: a file; an utterance; an `Ink`; a dictionary as of `asr.ink.json_ink`; bytes; a file object.
                A list, a tuple or an iterator of these is recognised in batches of similar length.
            channel: which channel of a recording with several, from 0.
            speaker: who it is, of those that the recogniser was given to `listen` to; None: somebody unknown.
            rate: hertz of samples that do not tell it; where they do, it must be the same.

        Returns:
            The hypothesis: text, labels, their confidences, and where they stand: seconds from the beginning of the
            file, or the index of their first point in the ink and of the first behind them. Of many sources a list,
            in their order; each is what the source gives alone, but for rounding: log posteriors differ by less than
            1e-4, and by less than 1e-5 after `prepare`.

        Raises:
            DataError: a source cannot be read, named with the reason; samples without their rate, or that are NaN or
                infinite; ink for a model that has learned from recordings, and the other way round.
        """
        if speaker is not None and not self.normaliser.knows(speaker):
            raise DataError(f"nothing was heard of the speaker '{speaker}'; let the recogniser `listen` first")
        sources = several(source)
        if sources is not None:
            found = transcribe_each(self, sources, channel, speaker, rate)
            return [_found(number, one, sources[number]) for number, one in enumerate(found)]
        raw = raw_frames(self.extractor, source, rate, channel)
        return placed(self.recognise([self.frames(raw.values, speaker)], offset=raw.start)[0][0], raw)

    def listen(
        self,
        speaker: str,
        sources: Iterable[Source],
        channel: int | None = None,
        on_error: Callable[[DataError], None] | None = None,
        rate: int | None = None,
    ) -> None:
        """Learn the mean and deviation of a speaker's frames, for a model that is normalised per speaker.

        Such a model reads a recording better when it has heard more than that of its speaker.

        Args:
            speaker: any name; hearing a speaker again replaces what was known.
            sources: recordings, as of `transcribe`; none needs a transcript.
            channel: as of `transcribe`.
            on_error: hears of a source that cannot be read, which is left out then.
            rate: as of `transcribe`.

        Raises:
            ConfigError: the model is not normalised per speaker, and would not read anything better.
            DataError: as `transcribe`, where there is no `on_error`.
        """
        if self.normaliser.per != "speaker" or self.reads_ink:
            raise ConfigError(
                f"this model is normalised per {self.normaliser.per}: hearing the recordings of one person together"
                " makes no difference to it"
            )

        def heard() -> Iterator[tuple[str, Tensor]]:
            for source in sources:
                try:
                    yield speaker, raw_frames(self.extractor, source, rate, channel).values
                except DataError as error:
                    if on_error is None:
                        raise
                    on_error(error)

        self.normaliser.hear(heard())


def _found(number: int, result: Hypothesis | DataError, source: object) -> Hypothesis:
    """The result of a source in a list; an error that names no file says which source it is."""
    if not isinstance(result, DataError):
        return result
    if isinstance(source, (str, Path, Utterance)):
        raise result
    raise DataError(f"source {number} of the list (from 0): {result}") from result
