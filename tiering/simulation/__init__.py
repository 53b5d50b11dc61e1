"""One experiment: scenario -> arrays -> rows."""
