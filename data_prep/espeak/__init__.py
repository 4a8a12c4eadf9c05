"""The embedded corpus of speech, spoken by eSpeak NG."""
