"""What a private net stands on: the cells of each column, and how common each is, both from charged mechanisms only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semblance.data.cells import Cells
from semblance.data.dataset import Dataset
from semblance.marginals.budget import Budget
from semblance.marginals.compress import learn_compression
from semblance.marginals.curator import PrivateCurator, Spend, charged
from semblance.marginals.domain import encode, find_cells
from semblance.marginals.estimate import Measurement
from semblance.marginals.propagation import Floats
from semblance.marginals.shrink import MANY, shrunk
from semblance.marginals.table import Table
from semblance.privacy.events import Composed, Event
from semblance.privacy.ledger import Ledger
from semblance.schema import Schema


@dataclass(frozen=True, eq=False)
class Ground:
    """What is public once it was charged.

    Attributes:
        cells: Of each modelled column. shares: Of each cell, the missing one included: one (n,) a column, adding up
            to 1; 0 for a cell that is not to be drawn. rows: How many, as far as noise lets know.
    """

    cells: tuple[Cells, ...]
    shares: tuple[Floats, ...]
    rows: float

    @property
    def schema_columns(self) -> dict[str, Cells]:
        """The cells by their columns' names."""
        return {made.column.name: made for made in self.cells}

    def opened(self, schema: Schema) -> Schema:
        """The schema without the bounds that cells were found outside of, because nobody declared them."""
        found = self.schema_columns
        return replace(schema, columns=tuple(found[c.name].column if c.name in found else c for c in schema))


def plan_with(schema: Schema, ledger: Ledger, *, cells: int, rest: Callable[[float], Event]) -> Budget:
    """The ground's share of what is left of a ledger's allowance, when `rest` of its rho is charged for what follows.

    Raises:
        BudgetExceeded: nothing is left. ValueError: there is no allowance.
    """
    if ledger.allowance is None:
        raise ValueError("there is no allowance to plan for; begin the run with one.")
    most, delta = ledger.allowance.cap or 1, ledger.allowance.delta

    def budget(rho: float) -> Budget:
        return Budget(schema, rho, most, delta, "mst", cells)

    def event(rho: float) -> Event:
        made = budget(rho)
        return Composed((made.search.event(schema), made.ones, rest(made.rest)))

    return budget(ledger.largest(event))


def lay_ground(rows: Dataset, budget: Budget, spend: Spend, name: str) -> Ground:
    """Find cells and count them.

    Args:
        rows: At most `budget.most` of each patient. name: Of the recipe, for the ledger.

    PRIVACY: `budget.search` and `budget.ones`, each charged first.
    """
    cells = find_cells(rows, budget.search, spend)
    table = Table(*encode(rows, cells), budget.most)
    ones = count_columns(table, cells, budget, spend, name)
    groups = learn_compression(ones, cells)
    shares = []
    for position, (one, made) in enumerate(zip(ones, cells, strict=True)):
        group, within = groups.groups[position], groups.shares[position]
        together = np.maximum(np.bincount(group, weights=one.counts), 0.0)
        whole = np.bincount(group, weights=within)
        share = (together[group] * within / np.where(whole > 0, whole, 1.0)[group])[: made.n]
        shares.append(share / share.sum() if share.sum() > 0 else np.full(made.n, 1 / made.n))
    return Ground(cells, tuple(shares), _rows(ones))


def count_columns(
    table: Table, cells: Sequence[Cells], budget: Budget, spend: Spend, name: str
) -> tuple[Measurement, ...]:
    """One-way marginals of all columns, in order; of long lists of labels the expected counts.

    PRIVACY: `budget.ones`, charged first.
    """
    curator = PrivateCurator(table, charged(spend, f"{name}/columns", budget.ones))
    ones = [one for i, sigma in enumerate(budget.sigmas_of_ones) for one in curator.measure([(i,)], sigma)]
    return tuple(_settled(one, made) for one, made in zip(ones, cells, strict=True))


def _settled(one: Measurement, cells: Cells) -> Measurement:
    if cells.column.numeric or cells.n_values < MANY:
        return one
    counts = one.counts.copy()
    counts[: cells.n_values] = shrunk(counts[: cells.n_values], one.sigma)
    return replace(one, counts=counts)


def _rows(ones: Sequence[Measurement]) -> float:
    """How many rows there are: each column's counts add up to it, the fewer they are the more exactly."""
    sums = np.array([one.counts.sum() for one in ones])
    weights = np.array([1.0 / one.counts.size for one in ones])
    return max(1.0, float(sums @ weights / weights.sum()))
