"""Encoders and decoders: what they compute, not how they are trained."""
