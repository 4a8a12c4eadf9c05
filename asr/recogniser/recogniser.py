"""A recogniser: everything between a recording and its text, built from one configuration."""

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

    Nothing changes it: `listen`, `with_decoder`, `prepared` and `for_many` return another one, which shares what is the
    same. So any number of threads may use one recogniser.

    Attributes:
        config: what the recogniser is.
        engine: what runs the network.
        engine_choice: its name, and why it was chosen.
        engines: gives the engine for other work.
        card: what is known of the weights: data, licence, error rates.
    """

    config: RecogniserConfig
    engine: Engine
    engine_choice: EngineChoice
    engines: Engines
    card: Card = field(default_factory=Card)

    @classmethod
    def of(cls, config: RecogniserConfig, parts: Parts, engines: Engines, card: Card | None = None) -> Recogniser:
        """Join the parts with the engine for a few utterances."""
        engine, choice = engines.for_work(1)
        return cls(
            **vars(parts), config=config, engine=engine, engine_choice=choice, engines=engines, card=card or Card()
        )

    def _with_engine_for(self, utterances: int, engines: Engines) -> Recogniser:
        engine, choice = engines.for_work(utterances)
        return replace(self, engine=engine, engine_choice=choice, engines=engines)

    @property
    def inventory(self) -> Inventory:
        """The labels that the network gives posteriors for."""
        return self.config.inventory

    def with_decoder(self, choice: DecoderChoice, plugins: Sequence[str] = ()) -> Recogniser:
        """Return the same recogniser with another decoder.

        Args:
            choice: the decoder.
            plugins: modules of the user's that may hold it, beside those of the model.

        Raises:
            ConfigError: it does not exist, or has no such option.
        """
        return replace(self, decoder=decoder_of(self.config, choice, plugins), decoder_choice=choice)

    def with_default_decoder(self, choice: DecoderChoice, plugins: Sequence[str] = ()) -> Recogniser:
        """Return the same recogniser with another decoder, which is its default when it is saved.

        Args:
            choice: the decoder.
            plugins: as of `with_decoder`.

        Raises:
            ConfigError: as `with_decoder`.
        """
        return replace(self, config=self.config.with_decoder(choice)).with_decoder(choice, plugins)

    def for_many(self, utterances: int) -> Recogniser:
        """Return the same recogniser with the engine and decoder that are fastest for this number of utterances.

        An engine that was chosen by name is kept; for decoders see `asr.decoding.search.for_many`.
        """
        return replace(self._with_engine_for(utterances, self.engines), decoder=for_many(self.decoder, utterances))

    def prepared(self, bfloat16: bool = False) -> Recogniser:
        """Return the same recogniser with torch's compiled kernels and packed weights, which take a second to load.

        Args:
            bfloat16: round the factors of products, see `RecurrentStack.prepare`.

        Raises:
            ConfigError: torch is not installed, or there are no such kernels for this network on this machine.
        """
        return self._with_engine_for(1, self.engines.prepared(bfloat16))

    @property
    def frame_seconds(self) -> float:
        """Distance between two posteriors: seconds (audio) or frames of the extractor (ink)."""
        return float(self.extractor.frame_shift * self.stacking.stride * self.engine.time_reduction)

    def frames(self, raw: Frames, speaker: str | None = None) -> Frames:
        """Normalise and stack the extractor's frames (T, F); the network's input (T', F')."""
        return self.stacking(self.normaliser.apply(raw, speaker))

    def posteriors(self, frames: Sequence[Frames]) -> tuple[Frames, NDArray[np.int64]]:
        """Compute the log posteriors of some utterances' stacked frames, each (T_b, F').

        Returns:
            (B, T', L) float32, and (B,) lengths.

        Raises:
            DataError: the network computes NaN.
        """
        log_probs, lengths = self.engine.posteriors(*padded(frames))
        if np.isnan(log_probs).any():
            raise DataError(
                "the network computes no numbers from these frames; its weights are damaged or have diverged"
            )
        return log_probs, lengths

    def recognise(
        self, frames: Sequence[Frames], offset: float | Sequence[float] = 0.0, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """Decode some utterances' stacked frames.

        Args:
            frames: (T_b, F') of each utterance.
            offset: seconds at each utterance's first frame.
            n_best: how many hypotheses of an utterance are wanted at most.

        Returns:
            the hypotheses of each utterance, best first; their times are seconds, or frames of ink.
        """
        if not frames:
            return []
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

        A recording of more than a minute is recognised in pieces, in memory that does not grow with its length; see
        `asr.recogniser.long`.

        Returns:
            The hypothesis: text, labels, their confidences, and where they stand: seconds from the beginning of the
            file, or the index of their first point in the ink and of the first behind them. Of many sources a list,
            in their order; each is what the source gives alone, but for rounding.

        Raises:
            DataError: a source cannot be read, named with the reason; samples without their rate, or that are NaN or
                infinite; ink for a model that has learned from recordings, and the other way round.
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
            source: as of `transcribe`.
            n_best: the largest number of hypotheses; greedy search gives one.
            channel, speaker, rate: as of `transcribe`.

        Raises:
            ConfigError: `n_best` is below 1.
            DataError: as `transcribe`.
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
                f"nothing was heard of the speaker '{speaker}'; give `listen` their recordings, and use the recogniser"
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
        """Return a recogniser that knows the mean and deviation of a speaker's frames.

        A model that is normalised per speaker reads a recording better when it has heard more than that of its speaker.

        Args:
            speaker: any name; hearing a speaker again replaces what was known.
            sources: one recording or many, as of `transcribe`; none needs a transcript.
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
    """The frames of a source, of a long recording block by block; an error comes before the first."""
    if isinstance(one, RawFrames):
        return (one.values,)
    one.check()
    return one.frames()


def _found(number: int, result: list[Hypothesis] | DataError, source: object) -> list[Hypothesis]:
    """Return the hypotheses of a source; raise its error, with the source named if the error names no file."""
    if not isinstance(result, DataError):
        return result
    if isinstance(source, (str, Path, Utterance)):
        raise result
    raise DataError(f"source {number} of the list (from 0): {result}") from result
