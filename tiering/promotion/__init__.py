"""Who may rise: which hot folios become candidates for promotion."""
