"""The cells of a private table: from what a person declared, and else from charged mechanisms only.

Labels. Declared categories are cells as they are. Where they were only read off the data, a label becomes a cell if
its noisy count exceeds a threshold that a label of one patient passes with probability delta at most (Korolova et al.
2009; here with discrete Gaussian noise); every other label shares one cell, which is drawn as a label of the others.

Numbers and dates. A range is cut into parts, and these again as long as one holds enough rows, noisily counted:
quantile cells in the end, and single values that many share become cells of their own (after Cormode et al. 2012,
private spatial trees).

Missing is always a cell: whether gaps exist is measured, like everything else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri_exp

from semblance.data.cells import Cells
from semblance.data.dataset import Dataset, to_scale
from semblance.marginals.curator import Spend, gaussian_event
from semblance.marginals.scale import Ruler
from semblance.privacy import mechanisms
from semblance.privacy.events import Composed, Event, Failure, Repeated
from semblance.schema import Column, Schema

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BELIEVED, QUIET = 3.0, 2.5
"""Standard deviations of noise above which a piece of a range is cut further, and up to which nobody was seen in it."""


@dataclass(frozen=True, slots=True)
class Search:
    """How cells are looked for.

    Attributes:
        sigma: Noise on every count of numbers, which are asked for once a look.
        label_sigma: Noise on every count of labels that nobody declared.
        most: Rows of one patient, at most. delta: Probability that some label of a single patient is found.
        cells: Cells of a number, about.
    """

    sigma: float
    label_sigma: float
    most: int
    delta: float
    cells: int

    def event(self, schema: Schema) -> Event:
        """What looking costs. Depends on the schema, not on the data."""
        events: list[Event] = []
        if looks := looks_of(schema):
            events.append(Repeated(gaussian_event(self.sigma, self.most), looks))
        if undeclared := undeclared_of(schema):
            events.append(Repeated(gaussian_event(self.label_sigma, self.most), undeclared))
            events.append(Failure(self.delta))
        return Composed(tuple(events))


def is_declared(column: Column) -> bool:
    """Whether a person declared a column's labels."""
    return column.bounds == "declared" and bool(column.categories)


def looks_of(schema: Schema) -> int:
    """How often rows are counted to cut numbers, each time at the cost of one marginal."""
    return sum(len(Ruler.of(c).looks) for c in schema.modelled if c.numeric)


def undeclared_of(schema: Schema) -> int:
    """Columns of labels that nobody declared, each at the cost of one marginal."""
    return sum(not c.numeric and not is_declared(c) for c in schema.modelled)


def find_cells(rows: Dataset, search: Search, spend: Spend) -> tuple[Cells, ...]:
    """The cells of each modelled column.

    Args:
        rows: At most `search.most` rows of each patient.

    PRIVACY: `search.event` of the schema, charged first.
    """
    spend("marginals/cells", search.event(rows.schema))
    undeclared = undeclared_of(rows.schema)
    return tuple(_cells(rows.frame[c.name], c, search, undeclared) for c in rows.schema.modelled)


def encode(rows: Dataset, cells: Sequence[Cells]) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Codes of all rows, and how many cells each column has. Each row by itself, so free of cost.

    What has no cell, such as an undeclared label, gets one more, the last: (n_rows, n_columns).
    """
    codes = np.empty((rows.n_rows, len(cells)), dtype=np.int32)
    for position, made in enumerate(cells):
        own = made.encode(rows.frame[made.column.name])
        codes[:, position] = np.where(own < 0, made.n, own)
    return codes, tuple(made.n + 1 for made in cells)


def _cells(values: pd.Series, column: Column, search: Search, undeclared: int) -> Cells:
    if column.numeric:
        return _numeric_cells(values, column, search)
    labels = column.categories if is_declared(column) else _labels(values, search, search.delta / undeclared)
    nothing = np.empty(0)
    return Cells(column, tuple(labels), nothing, (), nothing, np.empty(0, np.int32), has_missing=True)


def _labels(values: pd.Series, search: Search, delta: float) -> list[str]:
    """Labels whose noisy counts pass the threshold, commonest first."""
    counts = values.value_counts(sort=False)
    threshold = stable_threshold(search.label_sigma, search.most, delta)
    noisy = mechanisms.noisy(np.asarray(counts, dtype=np.int64), search.label_sigma)
    found = sorted(zip(-noisy, counts.index.astype(str), strict=True))
    return [label for count, label in found if -count >= threshold]


def stable_threshold(sigma: float, most: int, delta: float) -> int:
    """A count that a label held by one patient alone passes with probability `delta` at most.

    A patient brings at most `most` labels, one row each, or fewer labels with more rows each. Discrete Gaussian noise
    has tails no heavier than continuous noise rounded up (CKS 2020, proposition 25), so: P[N(0, sigma²) > T - most - 1]
    for each of `most` labels, together at most delta.
    """
    tail = -float(ndtri_exp(math.log(delta) - math.log(most)))
    return math.ceil(most + 1 + sigma * tail)


def _numeric_cells(values: pd.Series, column: Column, search: Search) -> Cells:
    ruler = Ruler.of(column)
    scaled = to_scale(values, column)
    places = np.sort(ruler.positions(scaled[~np.isnan(scaled)]))
    pieces = _cut(places, ruler, search.sigma, search.cells)
    knots, spikes = [], []
    half = 0.499 * ruler.step if column.kind != "datetime" else 0.0
    for start, stop in pieces:
        low, high = ruler.ends(start, stop)
        if high < low:
            continue
        single = low == high
        knots.append(np.array([low]) if single else np.array([low - half, high + half]))
        spikes.append(low if single else np.nan)
    marks = np.array(spikes)
    wide = np.flatnonzero(np.isnan(marks)).astype(np.int32)
    open_column = column if ruler.first is not None else replace(column, low=None, high=None)
    return Cells(
        column=open_column,
        labels=(),
        spikes=marks,
        knots=tuple(knots),
        edges=np.array([knots[i][0] for i in wide[1:]]),
        quantile_cells=wide,
        has_missing=True,
    )


def _cut(places: Ints, ruler: Ruler, sigma: float, cells: int) -> list[tuple[int, int]]:
    """Cut a ruler into parts, and these again while they hold enough rows: pieces in order, each (start, stop).

    Each look counts every row once, so a patient moves one count of it by one for each row; counts of parts of what is
    not cut are never used. Neighbours in which hardly anybody was seen become one piece.
    """
    done: list[tuple[int, int]] = []
    going, enough = [(0, 2**ruler.depth)], 0.0
    for look, bits in enumerate(ruler.looks):
        parts = [(a + i * (b - a >> bits), a + (i + 1) * (b - a >> bits)) for a, b in going for i in range(2**bits)]
        edges = np.array(parts)
        counts = np.searchsorted(places, edges[:, 1]) - np.searchsorted(places, edges[:, 0])
        noisy = mechanisms.noisy(counts.astype(np.int64), sigma)
        if look == 0:
            enough = max(float(noisy[noisy > BELIEVED * sigma].sum()) / cells, BELIEVED * sigma)
        seen = list(zip(parts, noisy.tolist(), strict=True))
        done.extend(
            _joined([(part, n) for part, n in seen if n <= enough], sigma, far=not look and ruler.first is None)
        )
        going = [part for part, n in seen if n > enough]
        if not going:
            break
    return sorted([*done, *going])


def _joined(parts: Sequence[tuple[tuple[int, int], int]], sigma: float, *, far: bool) -> list[tuple[int, int]]:
    """Neighbours in which hardly anybody was seen, put together; the others stay as they are.

    Args:
        far: They are powers of two, far apart: the one in which most were seen stands for all of them.
    """
    found: list[tuple[int, int]] = []
    quiet, most, upto = False, 0, -1
    for (start, stop), n in parts:
        if n <= QUIET * sigma and quiet and upto == start:
            whole = (found[-1][0], stop) if not far else (start, stop) if n > most else found[-1]
            found[-1], most = whole, max(n, most)
        else:
            found.append((start, stop))
            quiet, most = n <= QUIET * sigma, n
        upto = stop
    return found
