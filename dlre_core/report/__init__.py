"""The self-contained HTML report."""

from dlre_core.report.page import Exhibit, write_report

__all__ = ["Exhibit", "write_report"]
