"""The live page, on which a drawn row is scored as it grows, and its server."""
