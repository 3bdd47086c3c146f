"""Lines of handwriting for training and measuring: read from files, changed, or spoilt."""
