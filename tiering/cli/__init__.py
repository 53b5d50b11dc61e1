"""The face for the shell: `python -m tiering COMMAND`."""
