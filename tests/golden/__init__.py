"""The numbers that belong to each revision of our code."""
