"""A recogniser as a user holds it: what it is, how it is loaded and saved, what it reads."""
