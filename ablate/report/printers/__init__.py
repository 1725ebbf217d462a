"""The same tables for a terminal, HTML and LaTeX."""
