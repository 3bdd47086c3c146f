"""From lines of handwriting to the weights of a scorer."""
