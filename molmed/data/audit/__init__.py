"""What is wrong with a table: unreadable rows, repeats that disagree, leaks between folds or files, odd values."""

from molmed.data.audit.examine import CHECKS, audit
from molmed.data.audit.findings import KINDS, Audit, Finding, Severity, finding
from molmed.data.audit.rows import Rows, Values
from molmed.data.audit.settings import AuditConfig

__all__ = ["CHECKS", "KINDS", "Audit", "AuditConfig", "Finding", "Rows", "Severity", "Values", "audit", "finding"]
