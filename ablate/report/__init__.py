"""Tables and figures from the table of results. Never imports torch."""
