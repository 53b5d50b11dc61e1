"""Telling: results for other programs and people; mail text and comparisons come here."""

from tiering.report.frame import load

__all__ = ["load"]
