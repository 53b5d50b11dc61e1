"""The face in the browser: Dash pages, the live stream to their charts, and a small JSON API."""
