"""Who touches what: one file per access pattern, the table names them all."""
