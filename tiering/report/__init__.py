"""Telling: mail text, files and comparisons of finished runs. Empty yet; the room is here."""
