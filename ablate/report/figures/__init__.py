"""Pictures of a report; interactive charts and their data."""
