"""A page on which lines are drawn and scored as they grow, and the server behind it."""
