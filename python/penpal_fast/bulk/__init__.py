"""Files in, scored files out, batch by batch."""
