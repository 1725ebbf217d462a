"""Statistics on the table of results. Never imports torch."""
