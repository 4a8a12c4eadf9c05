"""Connectionist temporal classification (CTC): loss, consistency loss, length check and forced alignment."""
