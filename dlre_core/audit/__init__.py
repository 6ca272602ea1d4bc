"""Audit of published tables: what whole numbers of patients, and which methods, can explain them."""

from dlre_core.audit.audit import audit_published_tables, paper_tables
from dlre_core.audit.report import AuditedRow, AuditReport, Finding

__all__ = ["AuditReport", "AuditedRow", "Finding", "audit_published_tables", "paper_tables"]
