"""Quantise weights to int8 for onnxruntime's operator DynamicQuantizeLSTM.

The operator also rounds the frames and the outputs of the previous step to eight bits, with a scale that it chooses for
each product ("dynamic"), and sums in int32. The weights are the same as with `--store int8` in a bundle: each row of a
gate is within +-127 and has its own scale, so that every weight is off by at most 1/254 of the largest in its row. The
output layer, which has about one percent of the weights, stays float32.

On AN4 (test, `an4`, 130 utterances) no text changes: the error rates are 3.5 % of characters and 8.3 % of words with
both formats. On UNIPEN (test, `unipen_words`, 8899 words) 128 texts change: the character error rate is 7.59 % with
float32 and 7.60 % with int8, the word error rate 28.3 and 28.4 %. A file has 0.26 of the size, and an utterance takes
0.36 to 0.44 of the time. This was measured on a processor with eight-bit instructions (AVX-512 VNNI). On x86 processors
without them, sums of two products have 16 bits and may overflow, so measure there as well.

https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md describes the operator,
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html the overflow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.recogniser.stored_weights import TINY, int8_rows


class Int8(NamedTuple):
    """The weights of a layer for the operator.

    Attributes:
        values: (D, F, G) int8; the columns are the rows of the float32 weights.
        scale: (D, G) float32, the scale of each column.
        zero: (D, G) int8, the zero points, all 0.
    """

    values: NDArray[np.int8]
    scale: NDArray[np.float32]
    zero: NDArray[np.int8]


def int8_columns(weights: NDArray[np.float32]) -> Int8:
    """Quantise the weights (D, G, F) of D directions.

    >>> found = int8_columns(np.array([[[1.0, -0.5]]], dtype=np.float32))
    >>> found.values.tolist(), round(float(found.scale[0, 0]) * 127, 4)
    ([[[127], [-64]]], 1.0)
    """
    values, scale = int8_rows(weights)
    return Int8(values.transpose(0, 2, 1), np.maximum(scale, TINY), np.zeros(scale.shape, np.int8))
