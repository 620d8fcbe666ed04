"""The Pareto line: the points that no other point beats in both utility and privacy."""

from __future__ import annotations

from collections.abc import Sequence


def line(places: Sequence[float], utility: Sequence[float], risk: Sequence[float]) -> list[float]:
    """The places on the line, from the safest to the most useful.

    Args:
        utility: More is better. risk: Less is better. A point that another equals in one and beats in the other is off
            the line; points that are equal in both are on it together.
    """
    points = list(zip(places, utility, risk, strict=True))
    on = [
        (place, u, r)
        for place, u, r in points
        if not any((v >= u and s <= r) and (v > u or s < r) for _, v, s in points)
    ]
    return [place for place, _, _ in sorted(on, key=lambda point: (point[2], point[1], point[0]))]
