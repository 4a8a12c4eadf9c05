"""Language models: n-grams and recurrent networks behind one interface; see `asr.lm.model`."""
