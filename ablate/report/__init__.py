"""Tables and figures from the table of results. Never imports torch."""

from ablate.report.build import report, write
from ablate.report.study import gather
from ablate.report.terminal import render, render_answer

__all__ = ["gather", "render", "render_answer", "report", "write"]
