"""The reader of UNIPEN: words, lines and characters by many writers."""
