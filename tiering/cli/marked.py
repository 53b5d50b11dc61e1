"""Parts of a document that a command writes; all other text is written by people and stays."""

import re
from collections.abc import Iterable, Mapping


class Marks:
    """A part begins with `<!-- KIND: NAME -->` and ends with `<!-- KIND: end -->`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.end = self.begin("end")

    def begin(self, name: str) -> str:
        """The line before a part."""
        return f"<!-- {self._kind}: {name} -->"

    def missing(self, text: str, names: Iterable[str]) -> str | None:
        """The marks of the first part that a document lacks."""
        for name in names:
            if not self._place(name).search(text):
                return f"{self.begin(name)} ... {self.end}"
        return None

    def replaced(self, text: str, parts: Mapping[str, str]) -> str:
        """The document with these contents between the marks of their names."""
        for name, content in parts.items():
            whole = f"{self.begin(name)}\n{content}\n{self.end}"
            text = self._place(name).sub(lambda _, whole=whole: whole, text)  # type: ignore[misc]
        return text

    def _place(self, name: str) -> re.Pattern[str]:
        return re.compile(f"{re.escape(self.begin(name))}\n.*?{re.escape(self.end)}", re.DOTALL)


def row(cells: Iterable[str]) -> str:
    """A line of a table in Markdown."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
