"""The room's one table: name -> (class, who may rise)."""

from tiering.promotion.every_report import EveryReport

PROMOTION: dict[str, tuple[type[EveryReport], str]] = {
    "every_report": (EveryReport, "every report becomes a candidate, as in kmmscand V0"),
}
