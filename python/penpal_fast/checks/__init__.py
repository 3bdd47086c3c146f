"""What looks at rows: each check gives every row a score, or says why it has none."""
