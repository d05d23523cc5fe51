"""A run, a study or a file of z-points becomes one self-contained HTML file."""

from zspace.report.page import PointsReport, StudyReport, render_points_report, render_report

__all__ = ["PointsReport", "StudyReport", "render_points_report", "render_report"]
