"""What is read of configs, and checked, before anything is built."""
