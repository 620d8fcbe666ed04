"""From conditions to what they leave of a column's cells, and values drawn inside that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.conditionals.condition import Condition, read_condition
from semblance.conditionals.grid import Floats, Grid, Interval, grid_of, read_span
from semblance.data.cells import Cells, Ints
from semblance.data.dataset import from_scale, to_scale
from semblance.errors import InputError

EVERYTHING: tuple[Interval, ...] = ((-np.inf, np.inf),)
Piece = tuple[float, float, Interval]  # a stretch of a cell, as shares of its mass, and the interval it is written in


@dataclass(frozen=True, eq=False)
class Allowed:
    """What conditions leave of one column.

    Attributes:
        share: Of each cell, how much is allowed; 0 to 1, not all 0. (n_cells,)
        within: Closed intervals that written values must lie in, sorted and apart; empty for labels.
        codes: For a pool of rare codes of which only some are allowed, those, by cell.
    """

    cells: Cells
    share: Floats
    within: tuple[Interval, ...] = ()
    codes: Mapping[int, NDArray[np.object_]] = field(default_factory=dict)

    def decode(self, drawn: Ints, rng: np.random.Generator) -> pd.Series[Any]:
        """A value for each cell, numbers drawn inside the allowed part of it: (n_rows,). Every one is allowed."""
        values = self.cells.decode(drawn, rng)
        for cell, codes in self.codes.items():
            rows = np.flatnonzero(drawn == cell)
            values.iloc[rows] = codes[rng.integers(len(codes), size=len(rows))]
        if not self.cells.column.numeric or self.within == EVERYTHING:
            return values
        grid = grid_of(self.cells.column)
        scaled = grid.snap(to_scale(values, self.cells.column))
        draws = rng.random(len(drawn))
        for cell in np.flatnonzero((self.share > 0) & (self.share < 1)).tolist():
            rows = np.flatnonzero(drawn == cell)
            scaled[rows] = _draw_inside(
                self.cells.knots[cell], pieces(self.cells, cell, self.within), draws[rows], grid
            )
        return from_scale(scaled, self.cells.column)


def _draw_inside(knots: Floats, parts: list[Piece], draws: Floats, grid: Grid) -> Floats:
    starts, ends = np.array([p[0] for p in parts]), np.array([p[1] for p in parts])
    upto = np.cumsum(ends - starts)
    aim = draws * upto[-1]
    part = np.minimum(np.searchsorted(upto, aim, side="right"), len(parts) - 1)
    place = np.clip(ends[part] - (upto[part] - aim), starts[part], ends[part])
    inside = grid.snap(np.interp(place, np.linspace(0.0, 1.0, len(knots)), knots))
    low, high = (np.array([p[2][side] for p in parts])[part] for side in (0, 1))
    return np.clip(inside, low, high)  # a tie of rounding at the very edge


def pieces(cells: Cells, cell: int, within: Sequence[Interval]) -> list[Piece]:
    """The parts of a quantile cell that are written as a value of `within`.

    Between neighbouring knots the mass is even, as it is when the cell is drawn from.
    """
    knots, grid = cells.knots[cell], grid_of(cells.column)
    found = []
    for interval in within:
        low, high = grid.sources(*interval)
        start = float(_rank(knots, np.array([low]), "left")[0])
        end = float(_rank(knots, np.array([high]), "right")[0])
        if end > start:
            found.append((start, end, interval))
    return found


def _rank(knots: Floats, values: Floats, side: Literal["left", "right"]) -> Floats:
    """Share of the cell's mass below each value; where knots coincide, all of them count as below for "right"."""
    at = np.searchsorted(knots, values, side=side)
    low, high = np.maximum(at - 1, 0), np.minimum(at, len(knots) - 1)
    width = knots[high] - knots[low]
    part = (np.clip(values, knots[0], knots[-1]) - knots[low]) / np.where(width > 0, width, 1.0)
    ranks = (low + np.where(width > 0, part, 0.0)) / (len(knots) - 1)
    return np.asarray(np.where(at == 0, 0.0, np.where(at == len(knots), 1.0, ranks)))


def log_density(cells: Cells, codes: Ints, scaled: Floats) -> Floats:
    """Natural log of the density of each value inside its quantile cell, per unit of the numeric scale: (n,).

    0 for a spike and for "missing", which have no inside; -inf for a value that its cell is never drawn as. It is the
    cell's mass that is written as the value, over the column's step from one value to the next (or over a millionth
    of the cell's width, where the step is finer than that).
    """
    grid = grid_of(cells.column)
    density = np.zeros(len(codes))
    for cell in np.unique(codes[codes < cells.n_values]):
        knots, rows = cells.knots[cell], np.flatnonzero(codes == cell)
        if len(knots) == 1:
            continue
        step = max(grid.step, 1e-6 * float(knots[-1] - knots[0]))
        low, high = grid.sources(scaled[rows], scaled[rows])
        low, high = (low + high - step) / 2, (low + high + step) / 2
        mass = _rank(knots, high, "right") - _rank(knots, low, "left")
        with np.errstate(divide="ignore"):
            density[rows] = np.log(mass / step)
    return density


def read_evidence(given: Sequence[str], order: Sequence[str], cells: Sequence[Cells]) -> dict[int, Allowed]:
    """Conditions as positions in the chain and what is allowed there.

    Raises:
        InputError: a condition is not understood, or no value that the model can draw meets those on one column.
    """
    asked: dict[str, list[Condition]] = {}
    for text in given:
        condition = read_condition(text, order)
        asked.setdefault(condition.column, []).append(condition)
    places = {name: position for position, name in enumerate(order)}
    return {places[name]: allow(cells[places[name]], conditions) for name, conditions in asked.items()}


def allow(cells: Cells, conditions: Sequence[Condition]) -> Allowed:
    """What several conditions on one column leave together. Raises InputError as `read_evidence` does."""
    column = cells.column
    missing = cells.has_missing and all(_takes_missing(c, cells) for c in conditions)
    within: tuple[Interval, ...] = EVERYTHING if column.numeric else ()
    codes: dict[int, NDArray[np.object_]] = {}
    if column.numeric:
        for condition in conditions:
            within = _meet(within, _intervals(condition, cells))
        share = np.array([_share(cells, cell, within) for cell in range(cells.n_values)])
    else:
        drawable = {cell: set(members_of(cells, cell)) for cell in range(cells.n_values)}
        known = set().union(*drawable.values())
        labels = known.copy()
        for condition in conditions:
            labels &= _labels(condition, cells, known)
        share = np.array([len(texts & labels) / max(1, len(texts)) for texts in drawable.values()])
        codes = {
            cell: np.array(sorted(texts & labels), dtype=object)
            for cell, texts in drawable.items()
            if 0 < share[cell] < 1
        }
    share = np.concatenate([share, [float(missing)]] if cells.has_missing else [share])
    if not share.any():
        said = " and ".join(c.text for c in conditions)
        raise InputError(f"column {column.name!r}: the model can draw no value that meets {said}; widen the condition.")
    return Allowed(cells, share, within, codes)


def members_of(cells: Cells, cell: int) -> Sequence[str]:
    """What a label's cell is drawn as: its label, or one of the codes that are pooled in it."""
    if cells.pools is not None and cells.pools.nodes[cell]:
        return list(cells.pools.members.get(cell, ()))
    return [cells.labels[cell]]


def present(cells: Cells) -> Allowed | None:
    """Any value but not missing; None when the model only ever saw the column empty."""
    if not cells.n_values:
        return None
    share = np.concatenate([np.ones(cells.n_values), np.zeros(int(cells.has_missing))])
    return Allowed(cells, share, EVERYTHING if cells.column.numeric else ())


def _share(cells: Cells, cell: int, within: Sequence[Interval]) -> float:
    if len(cells.knots[cell]) > 1:
        return float(min(1.0, sum(end - start for start, end, _ in pieces(cells, cell, within))))
    written = float(grid_of(cells.column).snap(cells.knots[cell])[0])
    return float(any(low <= written <= high for low, high in within))


def _takes_missing(condition: Condition, cells: Cells) -> bool:
    """Whether "no value" meets the condition; it meets no comparison, and no !=."""
    return condition.operator in ("=", "in") and len(_values(condition, cells)) < len(condition.alternatives)


def _values(condition: Condition, cells: Cells) -> list[str]:
    """The values asked for, without those that spell "no value": nothing at all, or the column's own spellings."""
    labels = set(cells.labels)
    meant = [text if text in labels else text.strip() for text in condition.alternatives]
    return [text for text in meant if text in labels or text not in ("", *cells.column.missing)]


def _meet(one: Sequence[Interval], other: Sequence[Interval]) -> tuple[Interval, ...]:
    both = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return tuple((low, high) for low, high in both if low <= high)


def _intervals(condition: Condition, cells: Cells) -> tuple[Interval, ...]:
    """The written values that meet one condition on a number or date."""
    grid, values, operator = grid_of(cells.column), _values(condition, cells), condition.operator
    spans = [read_span(value, grid) for value in values]
    if operator == "!=":
        return tuple(i for first, last in spans for i in _around(grid, first, last)) or EVERYTHING
    if operator in ("=", "in"):
        ends = [(grid.at_least(first), grid.at_most(last)) for first, last in spans]
        return _apart([(low, high) for low, high in ends if low <= high])
    (first, last) = spans[0] if spans else (np.nan, np.nan)
    if not spans:
        raise InputError(f"condition {condition.text!r} compares with a missing value; name a value.")
    if operator in (">=", ">"):
        return ((grid.at_least(first) if operator == ">=" else grid.at_least(last, above=True), np.inf),)
    return ((-np.inf, grid.at_most(last) if operator == "<=" else grid.at_most(first, below=True)),)


def _around(grid: Grid, first: float, last: float) -> list[Interval]:
    return [(-np.inf, grid.at_most(first, below=True)), (grid.at_least(last, above=True), np.inf)]


def _apart(intervals: list[Interval]) -> tuple[Interval, ...]:
    """Sorted, with overlaps joined, so that no value counts twice."""
    joined: list[Interval] = []
    for low, high in sorted(intervals):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def _labels(condition: Condition, cells: Cells, known: set[str]) -> set[str]:
    """Those of the `known` labels that meet one condition. Raises InputError for one that is not, or never drawn."""
    column, values, operator = cells.column, _values(condition, cells), condition.operator
    if operator in ("=", "in", "!="):
        for value in values:
            if value not in known and (operator != "!=" or value not in column.categories):
                raise InputError(_no_label(condition, value, cells))
        return known - set(values) if operator == "!=" else set(values)
    rank = {label: i for i, label in enumerate(column.categories)}
    if column.kind != "ordinal":
        raise InputError(
            f"condition {condition.text!r}: column {column.name!r} holds labels without an order; use = or in."
        )
    if not values or values[0] not in rank:
        raise InputError(_no_label(condition, condition.alternatives[0].strip(), cells))
    at = rank[values[0]]
    meets = {">=": at.__le__, ">": at.__lt__, "<=": at.__ge__, "<": at.__gt__}[operator]
    return {label for label in known if label in rank and meets(rank[label])}


def _no_label(condition: Condition, value: str, cells: Cells) -> str:
    name = cells.column.name
    if value in cells.column.categories:
        return f"condition {condition.text!r}: too few patients hold that label of column {name!r} for it to be drawn."
    return (
        f"condition {condition.text!r}: column {name!r} has no label {value!r}; see the model's schema for its labels."
    )
