"""Parts of pages: pure functions from data to Dash components."""
