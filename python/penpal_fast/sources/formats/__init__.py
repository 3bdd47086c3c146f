"""File formats beside Parquet and JSON: one small file for each, and what they share."""
