"""Nearest neighbours by brute force in blocks: exact, deterministic, and fast enough on plain matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Ints = NDArray[np.int64]

_NOISE = 1e-6
"""Squared distances are equal when they differ by less than this part of the largest squared norm: single precision."""

_CELLS = 16_000_000  # distances held at once: 64 MB


class Neighbours(NamedTuple):
    """What each query found.

    Attributes:
        distance: To the nearest point: (q,).
        second: To the nearest point of any other patient: (q,); infinite when there is none.
        query, point, share: Every query–point pair at the smallest distance, each query's `share` summing to 1 over its
            tied points: three arrays of equal length.
    """

    distance: NDArray[np.float64]
    second: NDArray[np.float64]
    query: Ints
    point: Ints
    share: NDArray[np.float64]


def smallest_distance(queries: Points, points: Points) -> NDArray[np.float64]:
    """Distance from each query to its nearest point: (q,); infinite when there are no points."""
    found = np.full(len(queries), np.inf)
    for rows, squared, _ in _blocks(queries, points):
        found[rows] = squared.min(axis=1)
    return np.asarray(np.sqrt(found))


def nearest_point(
    queries: Points, points: Points, *, prefer: NDArray[np.float64] | Ints
) -> tuple[Ints, NDArray[np.float64]]:
    """Position of each query's nearest point, the most preferred of several equally near, and its distance: (q,), (q,).

    Args:
        points: At least one.
        prefer: One number per point, higher preferred; the first of several alike: (p,).
    """
    order = np.argsort(-prefer, kind="stable")
    centre = points.mean(axis=0)
    asked, ordered = queries - centre, points[order] - centre
    norms = np.einsum("ij,ij->i", ordered, ordered)
    noise = np.float32(_NOISE * max(1.0, float(norms.max())))
    # The norms ride along in the product, which spares passes over the largest array.
    right = np.column_stack([ordered, np.ones_like(norms), norms]).T
    left = np.column_stack([-2 * asked, np.einsum("ij,ij->i", asked, asked), np.ones(len(asked), dtype=np.float32)])
    found, least = np.zeros(len(queries), dtype=np.int64), np.zeros(len(queries))
    step = max(1, _CELLS // len(points))
    for start in range(0, len(queries), step):
        squared = left[start : start + step] @ right
        smallest = squared.min(axis=1)
        found[start : start + step] = order[(squared <= (smallest + noise)[:, None]).argmax(axis=1)]
        least[start : start + step] = smallest
    return found, np.sqrt(np.where(least <= noise, 0.0, least))


def nearest(queries: Points, points: Points, patients: Ints, *, own: Ints | None = None) -> Neighbours:
    """Nearest points of each query with all ties, and the nearest of another patient.

    Args:
        queries: (q, width).
        points: (p, width), p ≥ 1.
        patients: Patient number of each point: (p,).
        own: Patient of each query, whose points are passed over: (q,).
    """
    rows_of = _rows_by_patient(patients)
    distance, second = np.full(len(queries), np.inf), np.full(len(queries), np.inf)
    pairs: list[tuple[Ints, Ints, NDArray[np.float64]]] = []
    for rows, squared, noise in _blocks(queries, points):
        if own is not None:
            for i, q in enumerate(range(rows.start, rows.stop)):
                squared[i, rows_of.get(int(own[q]), [])] = np.inf
        first = squared.argmin(axis=1)
        least = squared[np.arange(len(first)), first]
        tied = (squared <= (least + noise)[:, None]) & np.isfinite(least)[:, None]
        query, point = np.nonzero(tied)
        pairs.append((query + rows.start, point, 1 / np.bincount(query, minlength=len(first))[query]))
        distance[rows] = least
        for i, j in enumerate(first):
            squared[i, rows_of[int(patients[j])]] = np.inf
        second[rows] = squared.min(axis=1)
    joined = [np.concatenate(parts) if parts else np.empty(0) for parts in zip(*pairs, strict=True)] or [
        np.empty(0)
    ] * 3
    return Neighbours(
        np.sqrt(distance), np.sqrt(second), joined[0].astype(np.int64), joined[1].astype(np.int64), joined[2]
    )


def _blocks(queries: Points, points: Points) -> Iterator[tuple[slice, NDArray[np.float32], np.float32]]:
    """Squared distances of successive blocks of queries to all points, and the noise in them."""
    if not len(points):
        return
    centre = points.mean(axis=0)  # small norms lose fewer digits
    shifted = points - centre
    norms = np.einsum("ij,ij->i", shifted, shifted)
    noise = np.float32(_NOISE * max(1.0, float(norms.max())))
    step = max(1, _CELLS // len(points))
    for start in range(0, len(queries), step):
        block = queries[start : start + step] - centre
        squared = block @ shifted.T
        squared *= -2
        squared += norms
        squared += np.einsum("ij,ij->i", block, block)[:, None]
        squared[squared <= noise] = 0.0
        yield slice(start, start + len(block)), squared, noise


def _rows_by_patient(patients: Ints) -> dict[int, Ints]:
    order = np.argsort(patients, kind="stable")
    found, starts = np.unique(patients[order], return_index=True)
    return {int(p): part for p, part in zip(found, np.split(order, starts[1:]), strict=True)}
