"""Files in, files out: scoring and filtering, batch by batch."""
