"""The version of the distribution `ctc-asr`."""

__version__ = "0.2.0"
