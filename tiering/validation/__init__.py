"""How the model answers to published results: inputs, checks, misses."""
