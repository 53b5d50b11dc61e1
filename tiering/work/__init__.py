"""Doing runs in the background: submit, workers, one attempt, pacing."""
