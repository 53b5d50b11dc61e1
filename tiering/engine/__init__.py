"""Numbers: compiled loops on plain arrays; knows no scenario, no file and no clock on the wall."""
