"""A hypothesis as plain JSON."""

from __future__ import annotations

import json
import math

import numpy as np

from asr.decoding.hypothesis import Hypothesis, Score, Span


def test_a_hypothesis_becomes_json_with_all_its_parts() -> None:
    spans = (Span("a", 0.123456, 0.5, 0.99999), Span("b", np.float64(0.5), np.float32(0.75), 0.25))  # type: ignore[arg-type]
    found = Hypothesis(("a", "b"), "ab", Score(-1.23456, 0.5, 0.25, 1.0), spans, (Span("ab", 0.0, 1.0, 0.25),))
    assert json.loads(json.dumps(found.to_dict())) == {
        "text": "ab",
        "confidence": 1.0,
        "log_probability": 0.5154,
        "score": {"acoustic": -1.2346, "language_model": 0.5, "insertion": 0.25, "boost": 1.0},
        "words": [{"word": "ab", "start": 0.0, "end": 1.0, "confidence": 0.25}],
        "labels": [
            {"label": "a", "start": 0.1235, "end": 0.5, "confidence": 1.0},
            {"label": "b", "start": 0.5, "end": 0.75, "confidence": 0.25},
        ],
    }


def test_json_has_no_infinite_numbers() -> None:
    found = Hypothesis((), "", Score(-math.inf), ()).to_dict()
    assert found["log_probability"] is None
    assert json.loads(json.dumps(found, allow_nan=False))["score"]["acoustic"] is None
