"""Fair search: one budget of images an arm, and fresh seeds for the score. The home of Optuna."""
