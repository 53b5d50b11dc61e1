"""The room's one table: name -> (class, what it remembers)."""

from tiering.hotness.last_report import LastReport

HOTNESS: dict[str, tuple[type[LastReport], str]] = {
    "last_report": (LastReport, "a report is hot when it arrives and forgotten at once"),
}
