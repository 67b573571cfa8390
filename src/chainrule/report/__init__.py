"""The report: one HTML page on what was learnt, how good it is, and what to be careful about."""
