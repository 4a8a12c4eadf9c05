"""The choices of `--flip`: whether pages of ink are read upside down. Light to import, for the command line."""

from __future__ import annotations

from typing import Literal, get_args

Flip = Literal["auto", "yes", "no"]
FLIPS: tuple[Flip, ...] = get_args(Flip)
"""All choices, the default first."""
