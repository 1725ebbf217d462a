"""Results: one folder a trial, read back as one table."""
