"""The self-contained HTML report."""

from dlre_core.report.exhibits import Exhibit, ordered_exhibits
from dlre_core.report.page import write_report, write_table_page

__all__ = ["Exhibit", "ordered_exhibits", "write_report", "write_table_page"]
