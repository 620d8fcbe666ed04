"""Nets that draw and judge images: one set of blocks, one trunk, one loop that trains them (``nets/training.py``)."""
