"""Sources of rows: files, folders, globs and the Hugging Face hub, read as streams of record batches."""
