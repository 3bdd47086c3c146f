"""Training of the reader: from lines with their texts to the weights of `penpal_fast.reading`."""
