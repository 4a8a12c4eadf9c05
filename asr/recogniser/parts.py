"""The parts of a recogniser around its network: extractor, normaliser, frame stacking and decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.config import Faults, build
from asr.decoding.choice import DecoderChoice
from asr.decoding.files import check_files
from asr.decoding.search import Decoder
from asr.features.extractor import FrameExtractor
from asr.features.normalise import Normaliser
from asr.features.stack import FrameStack
from asr.recogniser.config import RecogniserConfig


@dataclass(frozen=True, eq=False)
class Parts:
    """All parts of a recogniser but its network.

    Attributes:
        extractor: computes frames.
        normaliser: normalises frames.
        stacking: joins neighbouring frames.
        decoder: finds the text under the posteriors.
        decoder_choice: the name and the origin of the decoder.
    """

    extractor: FrameExtractor
    normaliser: Normaliser
    stacking: FrameStack
    decoder: Decoder
    decoder_choice: DecoderChoice

    @property
    def n_features(self) -> int:
        """The number of values in a frame of the network's input."""
        return self.extractor.dim * self.stacking.width


def parts_of(config: RecogniserConfig, decoder: DecoderChoice | None = None) -> Parts:
    """Build the parts of a recogniser.

    Args:
        config: the configuration of the recogniser.
        decoder: the decoder to use; None: the default of the configuration.

    Raises:
        ConfigError: options are unknown or out of range; the message names all of them.
    """
    chosen, plugins, faults = decoder or config.decoder_choice, config.plugins, Faults()
    with faults.noted("features"):
        extractor: FrameExtractor = build(config.features, plugins)
    with faults.noted("normaliser"):
        normaliser: Normaliser = build(config.normaliser, plugins)
    with faults.noted("stacking"):
        stacking: FrameStack = build(config.stacking, plugins)
    with faults.noted():
        built = decoder_of(config, chosen)
    faults.check()
    return Parts(extractor, normaliser, stacking, built, chosen)


def decoder_of(config: RecogniserConfig, choice: DecoderChoice, plugins: Sequence[str] = ()) -> Decoder:
    """Build a decoder for the labels of a recogniser.

    Args:
        config: the configuration of the recogniser.
        choice: the decoder.
        plugins: modules of the user that may hold the decoder, in addition to those of the configuration.

    Raises:
        ConfigError: the decoder does not exist, options are unknown or out of range (the message names all of them), or
            a file is missing.
    """
    faults = Faults()
    with faults.noted("decoder"):
        check_files(choice.component, config.decoder)
        built: Decoder = build(choice.component, (*config.plugins, *plugins), inventory=config.inventory)
    faults.check()
    return built
