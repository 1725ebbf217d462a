"""Statistics on the table of results. Never imports torch."""

from ablate.analysis.compare import compare
from ablate.analysis.conditions import where
from ablate.analysis.decisions import Decisions, decisions_of
from ablate.analysis.effects import effects
from ablate.analysis.half_normal import half_normal
from ablate.analysis.ladder import steps
from ablate.analysis.looks import at_look
from ablate.analysis.metric import Metric, metric_of
from ablate.analysis.pairs import interactions
from ablate.analysis.policies import policies
from ablate.analysis.power import seeds_needed, smallest_detectable
from ablate.analysis.ranks import ranks
from ablate.analysis.reliability import reliability
from ablate.analysis.shapley import shapley

__all__ = [
    "Decisions",
    "Metric",
    "at_look",
    "compare",
    "decisions_of",
    "effects",
    "half_normal",
    "interactions",
    "metric_of",
    "policies",
    "ranks",
    "reliability",
    "seeds_needed",
    "shapley",
    "smallest_detectable",
    "steps",
    "where",
]
