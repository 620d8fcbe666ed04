"""Who alone sees the table: answers with noise, and charges for each answer before the noise is drawn.

MST and AIM hold a curator and no table, so what they do with its answers can cost no privacy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import numpy as np

from semblance.errors import BudgetExceeded
from semblance.marginals.coarse import Merges, merged
from semblance.marginals.estimate import Measurement
from semblance.marginals.propagation import Floats
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

    def answer(self, question: Question, sigma: float) -> Measurement:
        """The marginal that was asked for, as coarse as it was asked for, with such noise."""

    def choose(self, questions: Sequence[Question], told: Codes, rows: float, epsilon: float) -> int:
        """Position of a set of columns whose marginal differs much from that of the rows `told`."""


@dataclass(frozen=True, slots=True)
class Question:
    """A set of columns that might be measured next.

    Attributes:
        weight: What its error counts for. cost: Error that measuring it would leave, in rows.
        level, merges: How coarsely its columns are seen, and which of their cells are put together for it.
    """

    attrs: Attrs
    weight: float
    cost: float
    level: int = 0
    merges: Merges = ()


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

    def answer(self, question: Question, sigma: float) -> Measurement:
        """PRIVACY: as one marginal of `measure`; a row moves one wide cell by 1 as it moves one narrow one."""
        self.use(gaussian_event(sigma, self.table.most))
        counts = merged(self.table.count(question.attrs), question.merges)
        noisy = mechanisms.noisy(counts, sigma).astype(np.float64)
        return Measurement(question.attrs, noisy, sigma, question.level, question.merges)

    def choose(self, questions: Sequence[Question], told: Codes, rows: float, epsilon: float) -> int:
        """PRIVACY: costs `Selection(epsilon)`; a patient moves a score by at most most x the largest weight."""
        self.use(Selection(epsilon))
        if told is not self._told:
            self._told, self._scores = told, {}
        scores = np.empty(len(questions))
        for attrs, alike in groupby(range(len(questions)), key=lambda i: questions[i].attrs):
            self._ask([(i, questions[i]) for i in alike], attrs, told, rows, scores)
        widest = max(q.weight for q in questions) * self.table.most
        return mechanisms.choose(scores, epsilon, widest * (1 + 1e-9))

    def _ask(
        self, asked: Sequence[tuple[int, Question]], attrs: Attrs, told: Codes, rows: float, scores: Floats
    ) -> None:
        """Fill in the scores of questions about the same columns.

        Kept as long as the same rows are told: whoever grows a tree asks for most pairs many times.
        """
        if any(question not in self._scores for _, question in asked):
            off = gap(self._count(attrs), attrs, told, rows, self.sizes)
            self._scores |= {question: score(off, question) for _, question in asked}
        for i, question in asked:
            scores[i] = self._scores[question]

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

    def answer(self, question: Question, sigma: float) -> Measurement:
        counts = merged(self.table.count(question.attrs), question.merges).astype(np.float64)
        return Measurement(question.attrs, counts, sigma, question.level, question.merges)

    def choose(self, questions: Sequence[Question], told: Codes, rows: float, epsilon: float) -> int:
        found: list[float] = []
        for attrs, alike in groupby(questions, key=lambda q: q.attrs):
            off = gap(self.table.count(attrs), attrs, told, rows, self.sizes)
            found += [score(off, question) for question in alike]
        return int(np.argmax(found))


def gaussian_event(sigma: float, most: int) -> Event:
    """One marginal with discrete Gaussian noise, from a table where a patient has at most `most` rows.

    One row moves one count by 1. Several rows may move several counts, by `most` in L2 distance, and then only the
    zero-concentrated bound is proven.
    """
    return DiscreteGaussian(sigma, 1) if most == 1 else Zcdp(most**2 / (2 * sigma**2))


def gap(exact: Counts, attrs: Attrs, told: Codes, rows: float, sizes: Sequence[int]) -> Floats:
    """By how much the rows told differ from a marginal. PRIVACY: exact; one row moves one cell of it by 1."""
    return np.asarray(exact - count(told, attrs, sizes) * (rows / max(1, len(told))))


def score(off: Floats, question: Question) -> float:
    """How wrong rows are on a marginal, beyond what measuring it would leave wrong.

    A patient's row moves it by the weight at most: it moves one cell of the `gap` by 1, so one wide cell by 1, and
    nothing else here depends on patients.
    """
    return question.weight * (float(np.abs(merged(off, question.merges)).sum()) - question.cost)


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
