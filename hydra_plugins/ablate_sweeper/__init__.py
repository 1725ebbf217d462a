"""The Hydra plugin of ablate."""
