"""UNIPEN: words, lines and characters by many writers."""
