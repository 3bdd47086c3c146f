"""Lines of handwriting to train and measure on: read, changed and spoilt."""
