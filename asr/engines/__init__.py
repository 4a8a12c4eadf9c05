"""Run a network: frames in, log posteriors out, numpy at the border."""
