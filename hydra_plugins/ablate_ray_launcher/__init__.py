"""Jobs of Hydra as tasks of Ray."""
