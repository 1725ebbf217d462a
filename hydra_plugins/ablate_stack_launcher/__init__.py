"""Jobs of Hydra as stacks: many trials as one tensor program."""
