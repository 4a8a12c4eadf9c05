"""Every random choice derives from the seed and from where it is made.

Nothing depends on how many numbers were drawn before, so a resumed run, another order or another number of workers
draws the same ones.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed from the run's seed, a purpose and a place (epoch, position, utterance id)."""
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """Random numbers of their own for these parts of a seed."""
    return np.random.default_rng(derive_seed(*parts))
