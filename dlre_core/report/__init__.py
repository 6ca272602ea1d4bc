"""The self-contained HTML report."""

from dlre_core.report.exhibits import Exhibit, exhibits
from dlre_core.report.page import write_report, write_table_page

__all__ = ["Exhibit", "exhibits", "write_report", "write_table_page"]
