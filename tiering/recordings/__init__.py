"""Readers of recordings made on real machines, and their resampling for replay."""
