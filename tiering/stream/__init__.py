"""Carrying blocks of rows and control messages between a run and those who watch it."""
