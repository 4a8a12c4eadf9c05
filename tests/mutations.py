"""Files with random damage."""

from __future__ import annotations

import numpy as np


def mutated(text: bytes, random: np.random.Generator) -> bytes:
    """A few bytes changed, removed, inserted, or a piece moved."""
    content = bytearray(text)
    for _ in range(int(random.integers(1, 6))):
        at = int(random.integers(0, len(content) or 1))
        length = int(random.integers(1, 30))
        kind = int(random.integers(0, 4))
        if kind == 0:
            content[at : at + 1] = bytes([int(random.integers(0, 256))])
        elif kind == 1:
            del content[at : at + length]
        elif kind == 2:
            content[at:at] = bytes(random.choice(list(b'0123456789-:,."\\\n\r .PENSGMT'), length).tolist())
        else:
            piece = content[at : at + length]
            del content[at : at + length]
            to = int(random.integers(0, len(content) or 1))
            content[to:to] = piece
    return bytes(content)
