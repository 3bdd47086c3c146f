"""Reading: what the ink of a row says, and whether it says its text."""
