"""Tables and figures from the table of results. Never imports torch."""

from ablate.report.build import report
from ablate.report.summary import summarize
from ablate.report.terminal import render, render_answer

__all__ = ["render", "render_answer", "report", "summarize"]
