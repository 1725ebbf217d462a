"""Tables and figures from the table of results. Never imports torch."""

from ablate.report.build import report, write
from ablate.report.marks import what_to_type
from ablate.report.study import gather, require_arms
from ablate.report.summary import summarize
from ablate.report.terminal import render, render_answer, render_changed

__all__ = [
    "gather",
    "render",
    "render_answer",
    "render_changed",
    "report",
    "require_arms",
    "summarize",
    "what_to_type",
    "write",
]
