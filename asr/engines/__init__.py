"""Engines, which run a network: numpy, torch and onnxruntime. All take frames and return posteriors as numpy arrays."""
