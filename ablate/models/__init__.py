"""Layers with the trial axis, and the networks made of them."""
