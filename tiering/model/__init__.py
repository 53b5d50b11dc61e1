"""Nouns, knobs and the metrics table: declarations only, no loops and no I/O."""
