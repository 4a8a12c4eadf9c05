"""The embedded corpus of speech, synthesised by eSpeak NG."""
