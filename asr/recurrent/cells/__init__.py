"""Recurrent cells, one file each: parameters, the input product of all frames at once, and one step.

Chosen with `model/cell=NAME`, options as `model.cell.OPTION=...`:

| name | what it is | options |
|---|---|---|
| `simple` | Elman 1990: no gates | `activation`: tanh, relu |
| `lstm` | Hochreiter and Schmidhuber 1997 with a forget gate; the default | `forget_bias` |
| `lstm_peephole` | Graves 2013: gates that see the cell | `forget_bias` |
| `gru` | Cho 2014, reset after the product, as cuDNN and torch have it | |
| `gru_before` | Cho 2014 as published, reset before the product | |
| `ligru` | Ravanelli 2018: no reset gate, rectified, batch normalisation of the input | |
| `odyssey` | Greff 2017: the LSTM with peepholes and its eight variants | `variant`, `forget_bias` |
| `lstm_projected` | Sak 2014: many cells, a projected output | `projection`, `forget_bias` |
| `lstm_layernorm` | Ba 2016: layer normalisation of the sums and of the cell | `forget_bias` |
| `lstm_zoneout` | Krueger 2017: units keep their last value now and then | `cell_zoneout`, `output_zoneout`, ... |
| `conv_lstm` | Shi 2015: convolution over frequency bands | `channels`, `kernel`, `forget_bias` |
| `attention_lstm` | after Cheng 2016: attends to a window of its own last outputs | `window`, `forget_bias` |

All have a compiled kernel for CPUs (`asr.recurrent.compiled`); a cell of one's own runs step by step under autograd
(`asr.recurrent.paths.loop`). benchmarks/README.md has the figures.

A new cell is one file that derives from `cell.Cell` (or from `gated.GatedCell`), with its equations and their source at
the top, and a config dataclass beside it; one line in `asr.experiment.schema.GROUPS`; a reference written from the
equations in tests/reference/cells.py; one line in tests/recurrent/cells/cases.py, which holds it to all that is asked
of a cell. A cell of one's own needs none of that: see CONTRIBUTING.md.
"""
