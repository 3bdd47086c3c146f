"""Where rows come from: files, folders, globs and the Hugging Face hub, as streams of record batches."""
