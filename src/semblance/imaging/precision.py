"""How exactly nets of images compute: the recipes' argument ``precision`` (``nets/images/precision.py``)."""

from __future__ import annotations

PRECISIONS = ("auto", "float32", "bfloat16")
