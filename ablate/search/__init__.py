"""Fair search: one budget of images an arm, and fresh seeds for the score. The home of Optuna."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)  # a line for every question would bury ours
