"""How good the samples are, always with the protocol that measured it."""

from ablate.metrics.evaluator import Evaluator, Score

__all__ = ["Evaluator", "Score"]
