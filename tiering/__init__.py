"""Tierscope: interactive memory-tiering experiments for people who read and write linux-mm."""

__version__ = "0.1.0"
