"""Who alone sees the table: answers with noise, and charges for each answer before the noise is drawn.

MST and AIM hold a curator and no table, so what they do with its answers can cost no privacy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from semblance.errors import BudgetExceeded
from semblance.marginals.estimate import Measurement
from semblance.marginals.table import Attrs, Codes, Counts, Table, count
from semblance.privacy import mechanisms
from semblance.privacy.events import Composed, DiscreteGaussian, Event, Repeated, Selection, Zcdp

Spend = Callable[[str, Event], None]
"""Enters a charge for a purpose, or raises BudgetExceeded: called before anything is drawn."""
Use = Callable[[Event], None]
"""Takes an event out of what was charged before (`charged`), or raises BudgetExceeded."""

KEPT = 2**23
"""Cells of exact counts that a curator keeps for the next question."""


class Curator(Protocol):
    """What a selection of marginals may ask."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Cells of each column."""

    def measure(self, attrs: Sequence[Attrs], sigma: float) -> list[Measurement]:
        """Marginals of these sets of columns with noise of standard deviation `sigma` on each count."""

    def choose(self, questions: Sequence[Question], told: Codes, rows: float, epsilon: float) -> int:
        """Position of a set of columns whose marginal differs much from that of the rows `told`."""


@dataclass(frozen=True, slots=True)
class Question:
    """A set of columns that might be measured next.

    Attributes:
        weight: What its error counts for. cost: Error that measuring it would leave, in rows.
    """

    attrs: Attrs
    weight: float
    cost: float


@dataclass(eq=False)
class PrivateCurator:
    """Answers with discrete Gaussian noise and by the exponential mechanism.

    Attributes:
        use: Called before each answer with what it costs. Patients with several rows cost more at the same noise: the
            square of `table.most`.
    """

    table: Table
    use: Use
    _exact: dict[Attrs, Counts] = field(default_factory=dict)
    _kept: int = 0
    _told: Codes | None = None
    _scores: dict[Question, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"PrivateCurator({self.table!r})"

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.table.sizes

    def measure(self, attrs: Sequence[Attrs], sigma: float) -> list[Measurement]:
        """Noisy marginals. PRIVACY: each costs most² / 2 sigma² of rho, charged together, first."""
        if attrs:
            self.use(Repeated(gaussian_event(sigma, self.table.most), len(attrs)))
        return [Measurement(a, mechanisms.noisy(self.table.count(a), sigma).astype(np.float64), sigma) for a in attrs]

    def choose(self, questions: Sequence[Question], told: Codes, rows: float, epsilon: float) -> int:
        """PRIVACY: costs `Selection(epsilon)`; a patient moves a score by at most most x the largest weight."""
        self.use(Selection(epsilon))
        if told is not self._told:
            self._told, self._scores = told, {}
        scores = np.array([self._score(q, told, rows) for q in questions])
        widest = max(q.weight for q in questions) * self.table.most
        return mechanisms.choose(scores, epsilon, widest * (1 + 1e-9))

    def _score(self, question: Question, told: Codes, rows: float) -> float:
        """Kept as long as the same rows are told: whoever grows a tree asks for most pairs many times."""
        if question not in self._scores:
            self._scores[question] = score(self._count(question.attrs), question, told, rows, self.sizes)
        return self._scores[question]

    def _count(self, attrs: Attrs) -> Counts:
        if attrs not in self._exact:
            counts = self.table.count(attrs)
            if self._kept + counts.size > KEPT:
                return counts
            self._exact[attrs] = counts
            self._kept += counts.size
        return self._exact[attrs]


@dataclass(frozen=True, eq=False)
class OpenCurator:
    """Answers exactly: NO PRIVACY. For runs that claim none, whose ledger says epsilon = infinity."""

    table: Table

    def __repr__(self) -> str:
        return f"OpenCurator({self.table!r})"

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.table.sizes

    def measure(self, attrs: Sequence[Attrs], sigma: float) -> list[Measurement]:
        return [Measurement(a, self.table.count(a).astype(np.float64), sigma) for a in attrs]

    def choose(self, questions: Sequence[Question], told: Codes, rows: float, epsilon: float) -> int:
        return int(np.argmax([score(self.table.count(q.attrs), q, told, rows, self.sizes) for q in questions]))


def gaussian_event(sigma: float, most: int) -> Event:
    """One marginal with discrete Gaussian noise, from a table where a patient has at most `most` rows.

    One row moves one count by 1. Several rows may move several counts, by `most` in L2 distance, and then only the
    zero-concentrated bound is proven.
    """
    return DiscreteGaussian(sigma, 1) if most == 1 else Zcdp(most**2 / (2 * sigma**2))


def score(exact: Counts, question: Question, told: Codes, rows: float, sizes: Sequence[int]) -> float:
    """How wrong the rows told are on a marginal, beyond what measuring it would leave wrong.

    A patient's row moves it by the weight at most: it moves one count by 1, and nothing else here depends on patients.
    """
    expected = count(told, question.attrs, sizes) * (rows / max(1, len(told)))
    return question.weight * (float(np.abs(exact - expected).sum()) - question.cost)


def charged(spend: Spend, purpose: str, event: Event) -> Use:
    """Charge an event at once; what is then used may not add up to more.

    Where the event is a `Zcdp` total, order and scales of what is used may depend on earlier answers: it is the
    privacy filter of zero-concentrated DP (Feldman and Zrnic 2021). Otherwise what is used must be what was charged.
    """
    spend(purpose, event)
    allowed, used = rho_of(event), 0.0

    def use(part: Event) -> None:
        nonlocal used
        used += rho_of(part)
        if used > allowed * (1 + 1e-9):
            raise BudgetExceeded(f"{purpose} would use more than was charged for it; nothing was drawn.")

    return use


def rho_of(event: Event) -> float:
    """Zero-concentrated DP of the events that a curator knows."""
    match event:
        case DiscreteGaussian(sigma=sigma, sensitivity=most):
            return most**2 / (2 * sigma**2)
        case Zcdp(rho=rho):
            return rho
        case Selection(epsilon=epsilon):
            return epsilon**2 / 8
        case Repeated(event=inner, count=times):
            return times * rho_of(inner)
        case Composed(events=events):
            return sum(rho_of(inner) for inner in events)
    raise ValueError("this event has no rho here.")


def sigma_for(rho: float, most: int) -> float:
    """Standard deviation of the noise on a marginal that costs `rho`."""
    return most / math.sqrt(2 * rho)


def noise_left(cells: int, sigma: float) -> float:
    """Expected sum of absolute noise over a marginal's cells, in rows."""
    return math.sqrt(2 / math.pi) * sigma * cells
