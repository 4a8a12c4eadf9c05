"""Random seeds that depend only on the run's seed and on the place where they are used.

They do not depend on how many numbers were drawn before. A resumed run, another order of utterances and another number
of workers therefore draw the same numbers.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(*parts: int | str) -> int:
    """Return a 63-bit seed computed from the run's seed, a purpose and a place.

    Args:
        parts: the run's seed, a name for the purpose, and where the numbers are used: epoch, position, utterance id.

    >>> derive_seed(1, "noise", "utt-7") == derive_seed(1, "noise", "utt-7")
    True
    >>> derive_seed(1, "noise", "utt-7") == derive_seed(1, "noise", "utt-8")
    False
    """
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """Return a random number generator seeded with `derive_seed(*parts)`."""
    return np.random.default_rng(derive_seed(*parts))
