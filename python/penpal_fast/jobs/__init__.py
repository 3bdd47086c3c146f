"""Jobs: they read files, score or filter the rows batch by batch, and write files."""
