"""The recogniser as a whole: frames, network, decoder and inventory together; its training task, files and scores."""
