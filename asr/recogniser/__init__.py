"""The recogniser: loading, saving, recognising and aligning, for recordings and ink of any length."""
