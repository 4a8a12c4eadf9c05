"""Recurrent networks in PyTorch: cells, one bidirectional layer, and the stack that turns frames into posteriors."""
