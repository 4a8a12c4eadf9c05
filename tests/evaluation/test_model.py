"""What a result says of the model that was scored."""

from __future__ import annotations

import asr
from asr.evaluation.model import weights_checksum


def test_a_checksum_names_the_same_weights_as_in_version_0_1() -> None:
    """Of weights kept as float16 and as int8; the figures are those that version 0.1 took of torch's tensors."""
    assert weights_checksum(asr.load("quickstart_pen")) == "667eba2f53f5f322a1b308773ee347d2"
    assert weights_checksum(asr.load("unipen_words")) == "3a10eddd8cadde265dd213d97539a76e"
