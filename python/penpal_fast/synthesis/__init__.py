"""Synthetic handwriting from a Graves-style generator, clean or with disturbed sampling."""
