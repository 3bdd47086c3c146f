"""Handwriting made by a Graves-style generator, clean or with its sampling disturbed."""
