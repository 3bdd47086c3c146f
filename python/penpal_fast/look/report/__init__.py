"""Scored files to one page that a person can look at."""
