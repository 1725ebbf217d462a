"""What each table of a report holds."""
