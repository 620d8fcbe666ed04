"""What has been spent on which patients. Every release writes here, private mechanism or not.

A release made without differential privacy has no formal guarantee: it is entered as epsilon = infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from semblance.errors import BudgetExceeded
from semblance.privacy import events as ev
from semblance.privacy.accounting import Relation, epsilon_of, rho_within
from semblance.privacy.events import Event

SLACK = 1e-9
"""Relative rounding that does not count as overspending."""
FINE = 1e-3
"""Share of rho that may be left unspent, so that finding how much is left stays quick."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a run may spend in all.

    Attributes:
        unit: Whose presence is hidden. relation: Which two tables are told apart: with and without one unit, or with
            one replaced.
        cap: Rows of one unit that are used at most; the others are left out before anything is looked at. None where
            the mechanism bounds what a unit contributes by itself.
    """

    epsilon: float
    delta: float
    unit: str = "patient"
    relation: Relation = "add_or_remove"
    cap: int | None = 1

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < math.inf:
            raise ValueError("epsilon must be above 0 and finite.")
        if not 0 < self.delta < 1:
            raise ValueError("delta must be between 0 and 1.")


@dataclass(frozen=True, slots=True)
class Charge:
    """One touch of real data. `epsilon` None means no formal guarantee (infinity).

    Attributes:
        epsilon: Of this touch alone, at the allowance's whole delta; several add up to less than their sum.
        event: Its tree of mechanisms.
    """

    purpose: str
    mechanism: str
    epsilon: float | None = None
    delta: float | None = None
    event: Event = field(default_factory=ev.Uncharged)


class Book(Protocol):
    """Where charges are also entered, so that other releases on the same patients see them (``ledger_file.py``).

    Attributes:
        head: What tells its present state from any earlier one.
    """

    head: str

    def spend(self, purpose: str, event: Event) -> None:
        """Enter a charge, or raise BudgetExceeded."""


@dataclass(slots=True)
class Ledger:
    """Append-only charges tied to one cohort.

    `cohort` is the fingerprint of the source (SHA-256 of its bytes), not anything that can be read back.
    `allowance` None means that nothing formal is promised. `book` is told of every charge before it counts here.
    """

    cohort: str = ""
    allowance: Allowance | None = None
    book: Book | None = None
    _charges: list[Charge] = field(default_factory=list)

    def charge(self, charge: Charge) -> None:
        """Enter a touch without differential privacy; call it before the data is touched.

        Raises:
            BudgetExceeded: something formal is promised, which such a touch would break.
        """
        if self.allowance is not None:
            raise BudgetExceeded(
                f"{charge.purpose} would read patients without differential privacy, but epsilon = "
                f"{self.allowance.epsilon:g} is promised; use a step that charges, or leave out --epsilon."
            )
        self._charges.append(charge)

    def spend(self, purpose: str, event: Event) -> None:
        """Enter what is about to be done, before any noise is drawn.

        The event's parameters must not depend on what the data or earlier noise said (see ``events.py``).

        Raises:
            BudgetExceeded: together with what was spent it exceeds the allowance; nothing is entered.
            Unsupported: the event cannot be counted.
            ValueError: there is no allowance to spend from.
        """
        if self.allowance is None:
            raise ValueError("there is no allowance to spend from; begin the run with one.")
        allowed = self.allowance
        if (total := self._epsilon(event)) > allowed.epsilon * (1 + SLACK):
            raise BudgetExceeded(
                f"{purpose} would take the run to epsilon = {total:.4g} of {allowed.epsilon:g} at delta = "
                f"{allowed.delta:g}; nothing was drawn. Ask for less, or allow more."
            )
        alone = epsilon_of(event, allowed.delta, allowed.relation).epsilon
        if self.book is not None:
            self.book.spend(purpose, event)
        self._charges.append(Charge(purpose, ev.describe(event), alone, allowed.delta, event))

    def largest(self, make: Callable[[float], Event], *, share: float = 1.0) -> float:
        """The largest rho for which `make(rho)` can still be spent: what a recipe has for all that it will do.

        Args:
            make: A size → the tree of mechanisms of that size, costing more the larger it is. ``Zcdp`` itself, where
                scales are chosen as it goes.
            share: Of what is left, in rho.

        Raises:
            BudgetExceeded: nothing can be spent any more.
            ValueError: there is no allowance.
        """
        if self.allowance is None:
            raise ValueError("there is no allowance to spend from; begin the run with one.")
        allowed = self.allowance
        reached = allowed.epsilon * (1 - FINE)
        high = 2 * rho_within(allowed.epsilon, allowed.delta)
        least = 0.005 * high  # with so little left, all that comes out is noise
        low, below, above, guess = 0.0, self._epsilon(), math.inf, high / 2
        while below < reached and high - low > FINE * high and high > least:
            epsilon = self._epsilon(make(guess))
            if epsilon <= allowed.epsilon:
                low, below = guess, epsilon
            else:
                high, above = guess, epsilon
            guess = low + (high - low) * _between(below, above, (reached + allowed.epsilon) / 2)
        if not low:
            raise BudgetExceeded(f"all of epsilon = {allowed.epsilon:g} is spent; allow more.")
        return low * share

    @property
    def charges(self) -> tuple[Charge, ...]:
        return tuple(self._charges)

    @property
    def event(self) -> Event:
        """All that was charged, as one tree."""
        return ev.compose([charge.event for charge in self._charges])

    @property
    def epsilon(self) -> float:
        """What was spent in all, at the allowance's delta; infinite without an allowance."""
        return self._epsilon() if self.allowance is not None else math.inf

    def _epsilon(self, *more: Event) -> float:
        assert self.allowance is not None
        spent = ev.compose([*(charge.event for charge in self._charges), *more])
        return epsilon_of(spent, self.allowance.delta, self.allowance.relation).epsilon

    def claim(self) -> dict[str, Any] | None:
        """What is promised, whole: None without an allowance.

        Epsilon is what was spent, rounded up; both accounts of it, the unit, the relation, the cap on rows and the
        tree of mechanisms stand beside it.
        """
        if self.allowance is None:
            return None
        allowed = self.allowance
        cost = epsilon_of(self.event, allowed.delta, allowed.relation)
        return {
            "epsilon": _up(cost.epsilon),
            "delta": allowed.delta,
            "allowed": allowed.epsilon,
            "unit": allowed.unit,
            "relation": allowed.relation,
            "rows_per_unit": allowed.cap,
            "accounts": {"pld": _up(cost.pld), "rdp": _up(cost.rdp)},
            "mechanisms": ev.to_json(self.event),
        }

    def to_dict(self) -> dict[str, Any]:
        formal = self.allowance is not None
        claim = self.claim()
        return {
            "cohort": self.cohort,
            "unit": self.allowance.unit if self.allowance else "patient",
            "guarantee": "stated per charge" if formal else "no formal guarantee (ε = ∞)",
            "charges": [
                {"purpose": c.purpose, "mechanism": c.mechanism, "epsilon": c.epsilon, "delta": c.delta}
                for c in self._charges
            ],
            **({"claim": claim} if claim else {}),
            **({"head": self.book.head} if self.book else {}),
        }


def _between(below: float, above: float, wanted: float) -> float:
    """How far to go from a size that is within the allowance to one that is not, as a share: 0.02 to 0.98.

    Epsilon grows between as the size and as its root, so its power 1.5 is drawn as a straight line.
    """
    if math.isinf(above):
        return 0.5
    found = (wanted**1.5 - below**1.5) / (above**1.5 - below**1.5)
    return float(min(0.98, max(0.02, found)))


def _up(epsilon: float | None) -> float | None:
    """Four decimals, never too small."""
    return None if epsilon is None else math.ceil(epsilon * 1e4 - 1e-6) / 1e4
