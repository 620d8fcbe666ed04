"""Small counts do not leave the house: 1 to 10 patients are blanked, the rest rounded to the nearest five.

Ten or fewer is the cell size that US Medicare and many European statistical offices suppress. Rounding keeps a
blanked cell from being worked out by subtraction. The smallest count shown is 15, so that protecting twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from semblance.evidence import Evidence

SMALLEST_SHOWN = 11
_STEP = 5


def protect(evidence: Evidence) -> Evidence:
    """A copy whose patient counts (keys that end in "counts", and each `n`) are safe to publish.

    A blanked count is None; a blanked `n` is 0. What a gate reads (value, low, high) is untouched.
    """
    findings = tuple(replace(f, n=0 if 0 < f.n < SMALLEST_SHOWN else f.n, detail=_protect(f.detail)) for f in evidence)
    return replace(evidence, findings=findings, provenance=_protect(evidence.provenance))


def protect_count(count: float | None) -> int | None:
    """One count, protected. A true zero stays zero: it describes no patient."""
    if count is None or 0 < count < SMALLEST_SHOWN:
        return None
    return 0 if count == 0 else max(15, _STEP * round(count / _STEP))


def _protect(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _blank(v) if str(k).endswith("counts") else _protect(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_protect(v) for v in value]
    return value


def _blank(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _blank(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_blank(v) for v in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    return protect_count(value)
