"""Columns as ordered cells: the alphabet in which the chain and the independent generator speak.

A label is a cell of its own. On a numeric scale, a value that many patients share (a *spike*) is a cell and stays
that value; the other values are cut into quantile cells, inside which new values are drawn. "Missing" is a cell
like any other, so that missingness is learned together with the values.

Nothing kept here is one patient's own: a label and a spike are shared by at least `min_patients`, and every knot of
a quantile cell is the mean of that many neighbouring values. A rarer label is never drawn for its own sake: a step of
an ordinal scale joins the nearest common one, a code joins others in its classification (``codes/pools.py``), and any
other has no cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.codes.pools import Pools, pool_codes
from semblance.data.dataset import from_scale, to_scale
from semblance.schema import Column

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

MIN_PATIENTS = 11
"""Patients behind a label, a spike or a knot, unless a recipe says otherwise."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one column, in order; the missing cell, if any, comes last.

    Attributes:
        labels: Cell → label, for label columns; empty for numeric ones. A pool of rare codes has a name in words.
        spikes: Cell → its single value, NaN for quantile cells. (n_values,)
        knots: Cell → quantile knots to draw between, a single number for spikes. n_values arrays.
        edges: Upper edges between neighbouring quantile cells. (n_quantile_cells - 1,)
        quantile_cells: Positions of the quantile cells, in order. (n_quantile_cells,)
        has_missing: Whether a missing cell exists.
        n_rare: Labels without a cell of their own, because fewer than `min_patients` patients hold them.
        pools: Which cells are pools of rare codes, where the Schema names a code system we know.
    """

    column: Column
    labels: tuple[str, ...]
    spikes: Floats
    knots: tuple[Floats, ...]
    edges: Floats
    quantile_cells: Ints
    has_missing: bool
    n_rare: int = 0
    pools: Pools | None = None

    @property
    def n_values(self) -> int:
        return len(self.knots) if self.column.numeric else len(self.labels)

    @property
    def ordered(self) -> bool:
        """Whether neighbouring cells are alike: numbers, dates, ordinals and codes, but not plain labels."""
        return self.column.numeric or self.column.kind == "ordinal" or self.pools is not None

    @property
    def families(self) -> Ints:
        """A number for the family of each cell: the block of a code; elsewhere each cell is its own. (n_cells,)"""
        own = np.arange(self.n, dtype=np.int32)
        if self.pools is None:
            return own
        kin = self.pools.families
        return np.concatenate([kin, kin.max(initial=-1) + 1 + own[: int(self.has_missing)]]).astype(np.int32)

    @property
    def n(self) -> int:
        """Number of cells, the missing one included."""
        return self.n_values + int(self.has_missing)

    def encode(self, values: pd.Series[Any]) -> Ints:
        """Cell of each value: (n_rows,). -1 for what has no cell: a rare label, or a gap where none was seen."""
        missing = self.n_values if self.has_missing else -1
        if not self.column.numeric:
            known = pd.Index(self.labels, dtype=object)
            codes = known.get_indexer(pd.Index(values, dtype=object))
            rare = pd.Series(values[(codes < 0) & values.notna().to_numpy()].unique())
            nearest = pd.Series([self._nearest_label(str(label)) for label in rare], index=rare, dtype=np.int64)
            codes = np.where(codes < 0, nearest.reindex(pd.Index(values, dtype=object)).fillna(-1), codes)
            return np.where(values.isna().to_numpy(), missing, codes).astype(np.int32)
        scaled = to_scale(values, self.column)
        present = ~np.isnan(scaled)
        cells = np.full(len(scaled), missing, dtype=np.int32)
        cells[present] = self._encode_numbers(scaled[present])
        return cells

    def _nearest_label(self, label: str) -> int:
        """Cell for a label without one of its own: its pool, or the nearest step of its scale; -1 where neither is."""
        if self.pools is not None:
            return self.pools.find(label)
        steps = self.column.categories
        if self.column.kind != "ordinal" or label not in steps or not self.labels:
            return -1
        away = [abs(steps.index(own) - steps.index(label)) if own in steps else len(steps) for own in self.labels]
        return int(np.argmin(away))

    def _encode_numbers(self, scaled: Floats) -> Ints:
        at = np.flatnonzero(~np.isnan(self.spikes))
        values = self.spikes[at]
        cells = np.full(len(scaled), -1, dtype=np.int32)
        if len(self.quantile_cells):
            cells = self.quantile_cells[np.searchsorted(self.edges, scaled, side="right")]
        elif len(values):  # nothing but spikes: a stray value joins the nearest
            cells = at[_nearest(values, scaled)].astype(np.int32)
        if len(values):
            near = _nearest(values, scaled)
            exact = values[near] == scaled
            cells = np.where(exact, at[near], cells)
        return cells.astype(np.int32)

    def decode(self, cells: Ints, rng: np.random.Generator) -> pd.Series[Any]:
        """A value for each cell, numbers drawn inside it: (n_rows,)."""
        if not self.column.numeric:
            table = np.array([*self.labels, None], dtype=object)
            texts = table[np.minimum(cells, self.n_values)]
            if self.pools is not None:
                self.pools.draw(texts, cells, rng)
            return pd.Series(texts, name=self.column.name, dtype=object)
        scaled = np.full(len(cells), np.nan)
        draws = rng.random(len(cells))
        order = np.argsort(cells, kind="stable")
        bounds = np.searchsorted(cells[order], np.arange(self.n_values + 1))
        for cell, knots in enumerate(self.knots):
            rows = order[bounds[cell] : bounds[cell + 1]]
            if len(knots) == 1:
                scaled[rows] = knots[0]
            elif len(rows):
                scaled[rows] = np.interp(draws[rows], np.linspace(0.0, 1.0, len(knots)), knots)
        return from_scale(np.clip(scaled, *_writable(self.column)), self.column)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file; the column itself is kept by the schema."""
        return {
            "labels": list(self.labels),
            "spikes": [None if np.isnan(v) else float(v) for v in self.spikes],
            "knots": [[float(v) for v in k] for k in self.knots],
            "edges": [float(v) for v in self.edges],
            "quantile_cells": [int(v) for v in self.quantile_cells],
            "has_missing": self.has_missing,
            "n_rare": self.n_rare,
            "pools": self.pools and self.pools.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], column: Column) -> Cells:
        labels, pools = tuple(data["labels"]), data.get("pools")
        return cls(
            column=column,
            labels=labels,
            spikes=np.array([np.nan if v is None else v for v in data["spikes"]], dtype=np.float64),
            knots=tuple(np.array(k, dtype=np.float64) for k in data["knots"]),
            edges=np.array(data["edges"], dtype=np.float64),
            quantile_cells=np.array(data["quantile_cells"], dtype=np.int32),
            has_missing=bool(data["has_missing"]),
            n_rare=int(data["n_rare"]),
            pools=Pools.from_dict(pools, labels, column) if pools else None,
        )


_DAYS = tuple(np.array(["1000-01-01", "9999-12-31"], "datetime64[D]").astype(np.float64).tolist())
_CALENDAR = {"date": (_DAYS[0], _DAYS[1]), "datetime": (_DAYS[0] * 86_400, _DAYS[1] * 86_400)}
"""Where dates of four-digit years end: cells that noise makes where nobody is may lie farther, and overflow."""


def _writable(column: Column) -> tuple[float, float]:
    """The bounds, moved inwards to values that the column's decimals can write: rounding must not cross a bound."""
    step = 1.0 if column.kind == "date" else 10.0**-column.decimals
    least, most = _CALENDAR.get(column.kind, (-np.inf, np.inf))
    ends = [least if column.low is None else column.low, most if column.high is None else column.high]
    if column.kind == "datetime":
        return ends[0], ends[1]
    for side, end in enumerate(ends):
        if np.isfinite(end) and np.round(end, column.decimals) != end:
            inward = np.ceil(end / step) if side == 0 else np.floor(end / step)
            ends[side] = float(np.round(inward * step, column.decimals))
    return ends[0], ends[1]


def make_cells(
    values: pd.Series[Any],
    column: Column,
    *,
    subjects: NDArray[np.int64],
    max_cells: int = 256,
    min_patients: int = MIN_PATIENTS,
    spike_share: float = 0.0015,
) -> Cells:
    """Choose the cells of one column from training values.

    Args:
        subjects: Patient of each row, so that "many" means patients and not visits. (n_rows,)
        max_cells: At most this many spikes, and as many quantile cells: on a coarse scale nearly every value is a
            spike, and the rest must keep its shape all the same.
        min_patients: Patients behind every spike, and values averaged into every knot.
        spike_share: A value held by this share of rows, and by `min_patients`, is a spike.
    """
    has_missing = bool(values.isna().any())
    if not column.numeric:
        return _label_cells(values, column, subjects, min_patients, has_missing)
    scaled = to_scale(values, column)
    present = ~np.isnan(scaled)
    spikes = _find_spikes(scaled[present], subjects[present], max_cells, min_patients, spike_share)
    rest = np.sort(scaled[present][~np.isin(scaled[present], spikes)])
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    too_few = len(rest) < min_patients  # a handful of stray values joins the nearest spikes, or is not drawn at all
    has_missing = has_missing or (too_few and not len(spikes))
    pieces = [] if too_few else _quantile_knots(rest, max_cells, min_patients, low, high)
    return _assemble(column, spikes, pieces, has_missing)


def _label_cells(
    values: pd.Series[Any], column: Column, subjects: NDArray[np.int64], min_patients: int, has_missing: bool
) -> Cells:
    """A cell for each label of enough patients: in order of meaning, of the code system, or of frequency."""
    counts = values.dropna().value_counts(sort=False)
    holders = pd.DataFrame({"value": values, "subject": subjects}).groupby("value")["subject"].nunique()
    counts = counts[holders.reindex(counts.index) >= min_patients]
    n_rare = len(holders) - len(counts)
    plain = column.kind != "ordinal"  # a scale that a person declared goes before the code system
    pools = pool_codes(values, column, subjects=subjects, min_patients=min_patients) if plain else None
    if pools is not None:
        labels: list[str] = list(pools.labels)
    elif column.kind == "ordinal":
        known = {label: i for i, label in enumerate(column.categories)}
        labels = sorted(counts.index, key=lambda v: (known.get(v, len(known)), str(v)))
    else:  # by frequency, ties by name so that the order of rows does not matter
        labels = sorted(counts.index, key=lambda v: (-int(counts[v]), str(v)))
    has_missing = has_missing or not labels  # nothing common enough to draw: the column comes out empty
    nothing = np.empty(0)
    return Cells(
        column, tuple(labels), nothing, (), nothing, np.empty(0, np.int32), has_missing, n_rare=n_rare, pools=pools
    )


def _find_spikes(scaled: Floats, subjects: NDArray[np.int64], most: int, min_patients: int, share: float) -> Floats:
    """Values shared by enough patients, at most `most` of them, the commonest first; sorted by value."""
    held = pd.DataFrame({"value": scaled, "subject": subjects}).groupby("value")["subject"]
    counts = pd.DataFrame({"rows": held.size(), "patients": held.nunique()})
    enough = counts[(counts["patients"] >= min_patients) & (counts["rows"] >= share * len(scaled))]
    kept = enough.sort_values("rows", ascending=False, kind="stable").head(most)
    return np.sort(kept.index.to_numpy(dtype=np.float64))


def _quantile_knots(rest: Floats, room: int, size: int, low: float, high: float) -> list[Floats]:
    """Cut sorted values into at most `room` cells of at least `size` values; each cell as its quantile knots."""
    n = len(rest)
    if n == 0:
        return []
    n_cells = int(np.clip(n // (2 * size), 1, room))
    per_cell = int(np.clip(n // (n_cells * size), 1, 8))
    ranks = np.linspace(0.0, n - 1.0, n_cells * per_cell + 1)
    knots = _neighbour_means(rest, ranks, size)
    if n >= 3 * size:  # the outermost means lie inside the data: extend by half a step, never to a patient's extreme
        knots[0] -= 0.5 * (rest[size : 2 * size].mean() - knots[0])
        knots[-1] += 0.5 * (knots[-1] - rest[-2 * size : -size].mean())
    knots = np.clip(np.maximum.accumulate(knots), low, high)
    return [knots[i * per_cell : (i + 1) * per_cell + 1] for i in range(n_cells)]


def _neighbour_means(rest: Floats, ranks: Floats, size: int) -> Floats:
    """Mean of the `size` sorted values around each rank."""
    n = len(rest)
    size = min(size, n)
    start = np.clip(np.round(ranks).astype(int) - size // 2, 0, n - size)
    total = np.concatenate([[0.0], np.cumsum(rest)])
    return np.asarray((total[start + size] - total[start]) / size, dtype=np.float64)


def _assemble(column: Column, spikes: Floats, pieces: list[Floats], has_missing: bool) -> Cells:
    """Order spikes and quantile cells by where they lie."""
    centres = np.concatenate([spikes, [float(k.mean()) for k in pieces]])
    order = np.argsort(centres, kind="stable")
    is_spike = order < len(spikes)
    knots = tuple(spikes[i : i + 1] if i < len(spikes) else pieces[i - len(spikes)] for i in order)
    return Cells(
        column=column,
        labels=(),
        spikes=np.where(is_spike, centres[order], np.nan),
        knots=knots,
        edges=np.array([k[0] for k in pieces[1:]], dtype=np.float64),
        quantile_cells=np.flatnonzero(~is_spike).astype(np.int32),
        has_missing=has_missing,
    )


def _nearest(values: Floats, scaled: Floats) -> NDArray[np.intp]:
    """Position of the nearest of the sorted `values` for each number."""
    right = np.clip(np.searchsorted(values, scaled), 1, max(1, len(values) - 1))
    if len(values) == 1:
        return np.zeros(len(scaled), dtype=np.intp)
    closer_left = scaled - values[right - 1] <= values[right] - scaled
    return np.asarray(right - closer_left, dtype=np.intp)
