"""Recognise a recording with an exported network, without this package: numpy, soundfile and onnxruntime are enough.

    asr-export an4 an4.onnx
    python examples/onnx_transcribe.py an4.onnx recording.wav

The file's metadata says how frames are computed, and what the labels are. These twenty lines can do what the models
that come with the package ask for: mel bands (HTK's scale) of windows with Hamming's weights, and frames that are
normalised over the recording. The recording has one channel and the rate that `features` names. It is read as the most
probable labels (a greedy decoder): repeats become one, then blanks, which are the first label, are left out.
"""

import json
import sys

import numpy as np
import onnxruntime
import soundfile

net = onnxruntime.InferenceSession(sys.argv[1])
metadata = net.get_modelmeta().custom_metadata_map
features, stacking, labels = (json.loads(metadata[key]) for key in ("features", "stacking", "labels"))
samples, rate = soundfile.read(sys.argv[2])
size, shift = round(features["window_seconds"] * rate), round(features["shift_seconds"] * rate)

# The logarithm of the power in mel bands; a band is a triangle between the middles of its neighbours.
windows = (cut := np.lib.stride_tricks.sliding_window_view(samples, size)[::shift]) - cut.mean(axis=1, keepdims=True)
windows = windows - features["preemphasis"] * np.hstack([windows[:, :1], windows[:, :-1]])
power = np.abs(np.fft.rfft(windows * np.hamming(size), 1 << (size - 1).bit_length())) ** 2
bins = np.log1p(np.linspace(0, rate / 2, power.shape[1]) / 700)[:, None]
ends, step = np.linspace(*np.log1p([features["low_hz"] / 700, rate / 1400]), features["n_mels"] + 2, retstep=True)
frames = np.log(np.maximum(power @ np.maximum(0, 1 - np.abs(bins - ends[1:-1]) / step), features["log_floor"]))

# Normalised; then neighbours side by side, where the last frame stands in for those beyond the end.
frames = (frames - frames.mean(axis=0)) / np.maximum(frames.std(axis=0), 1e-5)
at = np.minimum(np.arange(0, len(frames), stacking["stride"])[:, None] + np.arange(stacking["width"]), len(frames) - 1)
best = net.run(None, {"frames": np.float32([frames[at].reshape(len(at), -1)]), "lengths": [len(at)]})[0][0].argmax(1)
print("".join(labels[one] for before, one in zip([0, *best], best) if one not in (0, before)))  # noqa: B905  (one less)
