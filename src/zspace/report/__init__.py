"""Run or study becomes one self-contained HTML file."""

from zspace.report.page import StudyReport, render_report

__all__ = ["StudyReport", "render_report"]
