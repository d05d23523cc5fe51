"""A run, a study or a file of z-points becomes one self-contained HTML file."""

from zspace.report.page import PointsReport, StudyReport, render_points_report, render_report
from zspace.report.plates import N_PAIRS_SHOWN

__all__ = ["N_PAIRS_SHOWN", "PointsReport", "StudyReport", "render_points_report", "render_report"]
