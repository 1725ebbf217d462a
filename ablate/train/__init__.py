"""The training core: one step, its seams, its optimisers, and the loop that plays it."""
