"""The recogniser: everything between a recording or ink and its text, built from one configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values
from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.decoding.choice import DecoderChoice
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.search import decode, for_many
from asr.engines.engine import Engine, EngineChoice
from asr.engines.pool import Engines
from asr.errors import ConfigError, DataError
from asr.features.extractor import PointIndexed
from asr.features.grouping import padded
from asr.recogniser.batching import placed, transcribe_each
from asr.recogniser.card import Card
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.long import transcribe_long
from asr.recogniser.parts import Parts, decoder_of
from asr.recogniser.sources import LongSound, RawFrames, Source, opened, several

Frames = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Recogniser(Parts):
    """Extractor, normaliser, frame stacking, network and decoder, with the inventory that they share.

    A recogniser is immutable: `listen`, `with_decoder`, `prepared` and `for_many` return a new one that shares the
    unchanged parts. So several threads may use the same recogniser.

    Attributes:
        config: the configuration.
        engine: the engine that runs the network.
        engine_choice: the name of the engine, and why it was chosen.
        engines: chooses engines for other work.
        card: the model card: data, licence, error rates.
    """

    config: RecogniserConfig
    engine: Engine
    engine_choice: EngineChoice
    engines: Engines
    card: Card = field(default_factory=Card)

    @classmethod
    def of(cls, config: RecogniserConfig, parts: Parts, engines: Engines, card: Card | None = None) -> Recogniser:
        """Make a recogniser with the engine for a few utterances."""
        engine, choice = engines.for_work(1)
        return cls(
            **vars(parts), config=config, engine=engine, engine_choice=choice, engines=engines, card=card or Card()
        )

    def _with_engine_for(self, utterances: int, engines: Engines) -> Recogniser:
        engine, choice = engines.for_work(utterances)
        return replace(self, engine=engine, engine_choice=choice, engines=engines)

    @property
    def inventory(self) -> Inventory:
        """The labels of the posteriors."""
        return self.config.inventory

    def with_decoder(self, choice: DecoderChoice, plugins: Sequence[str] = ()) -> Recogniser:
        """Return the same recogniser with another decoder.

        Args:
            choice: the decoder.
            plugins: modules of the user that may hold the decoder, in addition to those of the model.

        Raises:
            ConfigError: the decoder or one of its options does not exist, or a file is missing.
        """
        return replace(self, decoder=decoder_of(self.config, choice, plugins), decoder_choice=choice)

    def with_default_decoder(self, choice: DecoderChoice, plugins: Sequence[str] = ()) -> Recogniser:
        """Return the same recogniser with another decoder, which is also saved as its default.

        Args:
            choice: the decoder.
            plugins: see `with_decoder`.

        Raises:
            ConfigError: see `with_decoder`.
        """
        return replace(self, config=self.config.with_decoder(choice)).with_decoder(choice, plugins)

    def for_many(self, utterances: int) -> Recogniser:
        """Return the same recogniser with the engine and the decoder that are fastest for this number of utterances.

        An engine that the user named is kept. For decoders see `asr.decoding.search.for_many`.
        """
        return replace(self._with_engine_for(utterances, self.engines), decoder=for_many(self.decoder, utterances))

    def prepared(self, bfloat16: bool = False) -> Recogniser:
        """Return the same recogniser with torch's compiled kernels and packed weights, which take a second to load.

        Args:
            bfloat16: round the factors of products to bfloat16, see `RecurrentStack.prepare`.

        Raises:
            ConfigError: torch is not installed, or has no such kernels for this network on this machine.
        """
        return self._with_engine_for(1, self.engines.prepared(bfloat16))

    @property
    def frame_seconds(self) -> float:
        """The time from one posterior to the next: seconds (audio) or frames of the extractor (ink)."""
        return float(self.extractor.frame_shift * self.stacking.stride * self.engine.time_reduction)

    def frames(self, raw: Frames, speaker: str | None = None) -> Frames:
        """Normalise and stack frames (T, F) of the extractor; return the input (T', F') of the network.

        Args:
            raw: (T, F) frames of the extractor.
            speaker: a speaker that was given to `listen`; None: unknown.
        """
        return self.stacking(self.normaliser.apply(raw, speaker))

    def posteriors(self, frames: Sequence[Frames]) -> tuple[Frames, NDArray[np.int64]]:
        """Compute the log posteriors of a batch of utterances.

        Args:
            frames: (T_b, F') the input of the network for each utterance, from `frames`.

        Returns:
            (B, T', L) float32, and (B,) lengths.

        Raises:
            DataError: the network computes NaN.
        """
        log_probs, lengths = self.engine.posteriors(*padded(frames))
        if np.isnan(log_probs).any():
            raise DataError(
                "the network computes NaN from these frames; its weights are damaged or have diverged: use others"
            )
        return log_probs, lengths

    def recognise(
        self, frames: Sequence[Frames], offset: float | Sequence[float] = 0.0, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """Recognise a batch of utterances from their frames.

        Args:
            frames: (T_b, F') the input of the network for each utterance, from `frames`.
            offset: the time of the first frame, in seconds; one number, or one for each utterance.
            n_best: the most hypotheses to return for an utterance.

        Returns:
            The hypotheses of each utterance, best first; their times are seconds (audio) or frames (ink).

        Raises:
            DataError: the network computes NaN.
        """
        if not frames:
            return []
        log_probs, lengths = self.posteriors(frames)
        return decode(self.decoder, log_probs, lengths, self.frame_seconds, offset, n_best)

    @property
    def reads_ink(self) -> bool:
        """True if the model reads pen strokes, False if it reads recordings."""
        return isinstance(self.extractor, PointIndexed)

    @overload
    def transcribe(  # type: ignore[overload-overlap]  # a str is also an iterable of str; it is one source
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
        """Recognise one recording or the ink of one word or line, or many of them.

        A recording of more than a minute is recognised in pieces, in memory that does not grow with its length; see
        `asr.recogniser.long`. For pages of ink see `asr.recogniser.page`.

        Args:
            source: a source, or a list, a tuple or an iterator of sources, which are recognised in batches of similar
                length. A recording is a file; an utterance of a manifest; samples, with `rate`; (samples, rate); a
                dictionary with `array` and `sampling_rate`, or with `path` or `bytes`; the bytes of a sound file; or a
                binary file object (see `asr.audio.sound_of`). Sound at another rate is resampled. Ink is a file; an
                utterance; an `Ink`; a dictionary (see `asr.ink.json_ink`); bytes; or a file object.
            channel: which channel of a recording with several, from 0.
            speaker: a speaker that was given to `listen`; None: an unknown one.
            rate: the sampling rate of samples that do not carry it, in hertz; others must have this rate.

        Returns:
            The hypothesis: the text, and labels and words with confidences and times. Times are seconds from the
            beginning of the file or, for ink, the number of the first point and of the point after the last. For
            several sources, a list in their order; but for rounding, a result does not depend on the other sources.

        Raises:
            DataError: a source cannot be read, samples lack their rate or are not finite, the speaker is unknown, or
                ink is given to a model for recordings or the other way round.

        >>> from asr.recogniser.loading import load
        >>> silence = np.zeros(16000, dtype=np.float32)
        >>> load("an4").transcribe(silence, rate=16000).text
        ''
        """
        self._check_speaker(speaker)
        sources = several(source)
        if sources is not None:
            found = transcribe_each(self.for_many(len(sources)), sources, channel, speaker, rate)
            return [_found(number, one, sources[number])[0] for number, one in enumerate(found)]
        return self._alternatives(source, 1, channel, speaker, rate)[0]  # type: ignore[arg-type]  # one source

    def alternatives(
        self,
        source: Source,
        n_best: int = 10,
        channel: int | None = None,
        speaker: str | None = None,
        rate: int | None = None,
    ) -> list[Hypothesis]:
        """Return the best hypotheses of one recording, or of the ink of one word or line, best first.

        Args:
            source: a single source, see `transcribe`.
            n_best: the most hypotheses to return; greedy search has only one.
            channel: see `transcribe`.
            speaker: see `transcribe`.
            rate: see `transcribe`.

        Raises:
            ConfigError: `n_best` is below 1.
            DataError: see `transcribe`.
        """
        check_values({"n_best": n_best}, {"n_best": (n_best >= 1, "1 or more")})
        self._check_speaker(speaker)
        return self._alternatives(source, n_best, channel, speaker, rate)

    def _alternatives(
        self, source: Source, n_best: int, channel: int | None, speaker: str | None, rate: int | None
    ) -> list[Hypothesis]:
        with opened(self.extractor, source, rate, channel) as one:
            if isinstance(one, LongSound):
                return transcribe_long(self, one, speaker, n_best=n_best)
        return placed(self.recognise([self.frames(one.values, speaker)], one.start, n_best)[0], one)

    def _check_speaker(self, speaker: str | None) -> None:
        if speaker is not None and not self.normaliser.knows(speaker):
            raise DataError(
                f"the speaker '{speaker}' is unknown; give `listen` recordings of this speaker, and use the recogniser"
                " that it returns"
            )

    def listen(
        self,
        speaker: str,
        sources: Source | Iterable[Source],
        channel: int | None = None,
        on_error: Callable[[DataError], None] | None = None,
        rate: int | None = None,
    ) -> Recogniser:
        """Return a recogniser with the mean and deviation of a speaker's frames, computed from several recordings.

        A model that is normalised per speaker is more accurate with statistics of several recordings than of one.

        Args:
            speaker: any name; a speaker that is known already is replaced.
            sources: one recording or many, see `transcribe`; transcripts are not needed.
            channel: see `transcribe`.
            on_error: called with the error of a source that cannot be read, which is left out; None: raise the error.
            rate: see `transcribe`.

        Raises:
            ConfigError: the model is not normalised per speaker, so that statistics would have no effect.
            DataError: a source cannot be read, and `on_error` is None.
        """
        if self.normaliser.per != "speaker" or self.reads_ink:
            raise ConfigError(
                f"this model is normalised per {self.normaliser.per}, not per speaker: hearing several recordings of a"
                " speaker has no effect; leave it out (the option --one-speaker)"
            )

        def heard() -> Iterator[tuple[str, Frames]]:
            given = several(sources)
            for source in [sources] if given is None else given:
                try:
                    with opened(self.extractor, source, rate, channel) as one:
                        yield from ((speaker, frames) for frames in _frames(one))
                except DataError as error:
                    if on_error is None:
                        raise
                    on_error(error)

        return replace(self, normaliser=self.normaliser.having_heard(heard()))


def _frames(one: RawFrames | LongSound) -> Iterable[Frames]:
    """Return blocks of frames of a source; a long recording is first read to its end, to raise errors early."""
    if isinstance(one, RawFrames):
        return (one.values,)
    one.check()
    return one.frames()


def _found(number: int, result: list[Hypothesis] | DataError, source: object) -> list[Hypothesis]:
    """Return the hypotheses of a source, or raise its error; the message gets a number if the source has no name."""
    if not isinstance(result, DataError):
        return result
    if isinstance(source, (str, Path, Utterance)):
        raise result
    raise DataError(f"source {number} of the list (from 0): {result}") from result
