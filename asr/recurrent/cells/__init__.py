"""Recurrent cells, one file each: parameters, the input product of all frames at once, and one step.

Choose a cell with `model/cell=NAME`, and its options with `model.cell.OPTION=...`:

| name | description | options |
|---|---|---|
| `simple` | Elman 1990: no gates | `activation`: tanh, relu |
| `lstm` | Hochreiter and Schmidhuber 1997 with a forget gate; the default | `forget_bias` |
| `lstm_peephole` | Graves 2013: gates also see the cell | `forget_bias` |
| `gru` | Cho 2014, reset after the product, as in cuDNN and torch | |
| `gru_before` | Cho 2014 as published, reset before the product | |
| `ligru` | Ravanelli 2018: no reset gate, rectified, batch normalisation of the input | |
| `odyssey` | Greff 2017: the LSTM with peepholes and its eight variants | `variant`, `forget_bias` |
| `lstm_projected` | Sak 2014: many cells, a projected output | `projection`, `forget_bias` |
| `lstm_layernorm` | Ba 2016: layer normalisation of the sums and of the cell | `forget_bias` |
| `lstm_zoneout` | Krueger 2017: in training, units randomly keep their value | `cell_zoneout`, `output_zoneout`, ... |
| `conv_lstm` | Shi 2015: convolution over frequency bands | `channels`, `kernel`, `forget_bias` |
| `attention_lstm` | after Cheng 2016: attends to a window of its own last outputs | `window`, `forget_bias` |

All of them have a compiled kernel for CPUs (`asr.recurrent.compiled`). A cell of your own runs step by step under
autograd (`asr.recurrent.paths.loop`). benchmarks/README.md compares their speed.

To add a cell to this package, write one file with a class derived from `cell.Cell` (or `gated.GatedCell`), with its
equations and their source at the top; a config dataclass in `asr.recurrent.options`; a line in
`asr.experiment.schema.GROUPS`; a reference from the equations in tests/reference/cells.py; and a line in
tests/recurrent/cells/cases.py, which runs all tests of cells on it. A cell of your own in another package needs none of
this: see CONTRIBUTING.md.
"""
