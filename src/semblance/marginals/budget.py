"""How much noise an allowance buys, and what is charged for it, settled before the data is looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from semblance.marginals import mst
from semblance.marginals.curator import gaussian_event, sigma_for
from semblance.marginals.domain import Search, is_declared, looks_of, undeclared_of
from semblance.privacy.events import Composed, Event, Repeated, Zcdp
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema

CUTS, LABELS, ONES = 0.08, 0.08, 0.14
"""Shares of rho for cutting numbers, for labels nobody declared, and for one-way marginals; the rest is for links."""
FINER = 4
"""Cells in which the shape of one number is told, for each cell in which its links are."""
FOUND = 0.1
"""Share of delta for labels that no person declared."""
USUAL_CELLS = 32
"""Cells that a column counts for, where no longer list of labels is declared."""


@dataclass(frozen=True, slots=True)
class Budget:
    """All charges of one fit, as rho-zero-concentrated DP, and its parts.

    Attributes:
        rho: In all. most: Rows of one patient, at most. method: "mst" or "aim".
    """

    schema: Schema
    rho: float
    most: int
    delta: float
    method: str
    cells: int

    @property
    def search(self) -> Search:
        """How cells are found."""
        looks, undeclared = max(1, looks_of(self.schema)), max(1, undeclared_of(self.schema))
        return Search(
            sigma=sigma_for(CUTS * self.rho / looks, self.most),
            label_sigma=sigma_for(LABELS * self.rho / undeclared, self.most),
            most=self.most,
            delta=FOUND * self.delta,
            cells=FINER * self.cells,
        )

    @property
    def sigmas_of_ones(self) -> tuple[float, ...]:
        """Noise on the one-way marginal of each column: less where a long list is declared.

        So that errors summed over all cells are least, which rho by cells to the power 2/3 makes them.
        """
        weights = [_cells_of(column) ** (2 / 3) for column in self.schema.modelled]
        return tuple(sigma_for(ONES * self.rho * weight / sum(weights), self.most) for weight in weights)

    @property
    def ones(self) -> Event:
        """What one-way marginals cost."""
        times = Counter(self.sigmas_of_ones)
        return Composed(tuple(Repeated(gaussian_event(sigma, self.most), n) for sigma, n in times.items()))

    @property
    def rest(self) -> float:
        """Rho for choosing and measuring what columns have to do with each other."""
        cuts = CUTS if looks_of(self.schema) else 0.0
        labels = LABELS if undeclared_of(self.schema) else 0.0
        return (1 - ONES - cuts - labels) * self.rho

    @property
    def links(self) -> Event:
        """What choosing and measuring costs: the tree's noise is known before, AIM's only in total."""
        if self.method == "mst":
            return mst.event(len(self.schema.modelled), self.rest, self.most)
        return Zcdp(self.rest)

    @property
    def event(self) -> Event:
        """Everything."""
        return Composed((self.search.event(self.schema), self.ones, self.links))


def plan(schema: Schema, ledger: Ledger, *, method: str, cells: int) -> Budget:
    """The least noise with which a fit stays within what is left of a ledger's allowance.

    Depends on the schema, the allowance and earlier charges; on no patient.

    Raises:
        BudgetExceeded: nothing is left.
        ValueError: there is no allowance.
    """
    if ledger.allowance is None:
        raise ValueError("there is no allowance to plan for; begin the run with one.")
    most, delta = ledger.allowance.cap or 1, ledger.allowance.delta

    def budget(rho: float) -> Budget:
        return Budget(schema, rho, most, delta, method, cells)

    return budget(ledger.largest(lambda rho: budget(rho).event))


def _cells_of(column: Column) -> int:
    return max(USUAL_CELLS, len(column.categories) if is_declared(column) else 0)
