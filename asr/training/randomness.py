"""Every random choice derives from the seed and from where it is made.

Nothing depends on how many numbers were drawn before, so a resumed run, another order or another number of workers
draws the same ones.
"""

from __future__ import annotations

import hashlib

import torch


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed from the run's seed, a purpose and a place (epoch, position, utterance id)."""
    digest = hashlib.blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def seed_step(seed: int, epoch: int, position: int) -> None:
    """Seed torch for one training step (dropout, weight noise)."""
    torch.manual_seed(derive_seed(seed, "step", epoch, position))
