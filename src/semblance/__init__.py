"""Synthetic patients that resemble everyone and are no one."""

__version__ = "0.1.0"
