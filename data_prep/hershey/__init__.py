"""The embedded corpus of handwriting, drawn with the Hershey fonts."""
