"""The engine: recurrent cells, one bidirectional layer, the stack that turns frames into label posteriors."""
