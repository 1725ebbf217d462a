"""What is said in a terminal: letters, grids, bars, durations."""
