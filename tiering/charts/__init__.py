"""What a run looks like: declarative charts, drawn alike by the page, by SVG and by text."""
