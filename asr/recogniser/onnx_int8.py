"""Weights as whole numbers of eight bits, for onnxruntime's operator DynamicQuantizeLSTM.

The operator rounds the frames and the outputs of the last step to eight bits as well, on a scale that it chooses for
each product ("dynamic"), and adds up in whole numbers of 32 bits. The weights are those that `--store int8` keeps in a
bundle: each row of a gate within +-127, with a scale of its own, so that every weight is off by at most 1/254 of the
largest in its row. The output layer, which has about one percent of the weights, stays float32.

On AN4 (test, `an4`, 130 utterances) no text changes: 3.5 % of the characters, 8.3 % of the words are wrong with both.
On UNIPEN (test, `unipen_words`, 8899 words) 128 texts change: 7.59 % of the characters are wrong with float32, 7.60 %
with int8, and 28.3 and 28.4 % of the words. A file has 0.26 of the size, an utterance takes 0.36 to 0.44 of the time.
That was measured on a processor with instructions for eight bits (AVX-512 VNNI). On x86 processors without them, sums
of two products have 16 bits and may overflow, so measure there, too.

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
        values: (D, F, G) int8: the columns are the rows of the float weights.
        scale: (D, G) float32.
        zero: (D, G) int8, all 0: the numbers mean the same with either sign.
    """

    values: NDArray[np.int8]
    scale: NDArray[np.float32]
    zero: NDArray[np.int8]


def int8_columns(weights: NDArray[np.float32]) -> Int8:
    """Round the weights (D, G, F) of D directions."""
    values, scale = int8_rows(weights)
    return Int8(values.transpose(0, 2, 1), np.maximum(scale, TINY), np.zeros(scale.shape, np.int8))
