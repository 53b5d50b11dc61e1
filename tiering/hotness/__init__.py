"""Who remembers: what becomes of reports before anybody decides."""
