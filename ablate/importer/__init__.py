"""Tables of other trainers, taken in as results."""
