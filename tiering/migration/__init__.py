"""Who carries: the migration queue and the clock that pays for it."""
