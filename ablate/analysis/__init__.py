"""Statistics on the table of results. Never imports torch."""

from ablate.analysis.compare import compare
from ablate.analysis.conditions import where
from ablate.analysis.metric import Metric, metric_of
from ablate.analysis.power import seeds_needed, smallest_detectable

__all__ = ["Metric", "compare", "metric_of", "seeds_needed", "smallest_detectable", "where"]
