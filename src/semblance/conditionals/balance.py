"""How many rows each label of a column is to have: equal numbers, or shares that a person names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from semblance.errors import InputError


def read_balance(text: str, labels_of: Callable[[str], Sequence[str]]) -> tuple[str, dict[str, float]]:
    """Understand ``COL`` (equal numbers) or ``COL=label:share,label:share``; the column and the share of each label.

    Args:
        labels_of: The labels of a column that can be drawn; raises InputError where it has none.

    Raises:
        InputError: the text is not understood, or names a label that cannot be drawn.
    """
    column, equals, shares = text.partition("=")
    labels = labels_of(column.strip())
    column = column.strip()
    if not equals:
        return column, dict.fromkeys(labels, 1.0 / len(labels))
    found: dict[str, float] = {}
    for part in shares.split(","):
        label, _, share = part.rpartition(":")
        label = label if label in labels else label.strip()
        if label not in labels:
            raise InputError(
                f"balance {text!r}: {part!r} is not LABEL:SHARE with a label that column {column!r} draws."
            )
        found[label] = _share(share, text)
    total = sum(found.values())
    return column, {label: share / total for label, share in found.items()}


def _share(share: str, text: str) -> float:
    try:
        value = float(share)
    except ValueError:
        value = 0.0
    if not 0 < value < np.inf:
        raise InputError(f"balance {text!r}: {share!r} is not a share; write a number above 0 after each colon.")
    return value


def rows_of_each(shares: Mapping[str, float], n: int) -> dict[str, int]:
    """`n` rows by these shares, which sum to 1; what rounding leaves goes to the largest remainders."""
    exact = {label: share * n for label, share in shares.items()}
    rows = {label: int(np.floor(value + 1e-9)) for label, value in exact.items()}
    by_remainder = sorted(exact, key=lambda label: rows[label] - exact[label])
    for label in by_remainder[: n - sum(rows.values())]:
        rows[label] += 1
    return rows
