"""Who has been spent on, how much, and what is left: the ledger's entries, read in order.

A cohort is all extracts that share patients, as far as anyone can tell: the same bytes, a name that a person gave to
both, or fingerprints of patients found in both. What is released on any of them counts against all.

The cap is a privacy filter. Who asks for another release has seen the earlier ones, so how noisy it is may depend on
them; sums of Renyi divergence of one order, fixed together with the cap, stay right then (Feldman and Zrnic 2021),
and no sum of epsilons is. A release that is the first and only one may be counted more tightly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from semblance.errors import LedgerError
from semblance.privacy import events as ev
from semblance.privacy.accounting import epsilon_of, failure_of, renyi_of, rho_within
from semblance.privacy.chain import Entry
from semblance.privacy.events import Event
from semblance.privacy.kinship import related

ORDERS = (*(1 + k / 10 for k in range(1, 100)), *range(11, 65), 80, 96, 128, 192, 256, 512, 1024, 2048, 4096)

FAILING = 0.5
"""Share of a cap's delta that mechanisms which fail outright, such as thresholds on labels, may use up."""


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may ever be spent on one cohort."""

    epsilon: float
    delta: float

    def order_and_room(self) -> tuple[float, float]:
        """The order that the filter sums at, and the sum at which it closes.

        The order is the one at which Gaussian noise of this cap's size converts best (conversion: Canonne, Kamath and
        Steinke 2020, proposition 12). Half of delta is left to failures.
        """
        delta = (1 - FAILING) * self.delta
        rho = rho_within(self.epsilon, delta)
        order = min(ORDERS, key=lambda a: rho * a + _conversion(a, delta))
        return order, max(0.0, self.epsilon - _conversion(order, delta))


def _conversion(order: float, delta: float) -> float:
    """What to add to a Renyi divergence to get epsilon."""
    return math.log1p(-1 / order) - math.log(delta * order) / (order - 1)


CAP = Cap(3.0, 1e-6)
"""Of a cohort that nobody set another for."""


@dataclass(slots=True)
class Release:
    """One release, or what was meant to be one.

    Attributes:
        held: What was set aside for it. spent: What was charged, in order: (purpose, event).
        status: "open" until it is told how it ended; a process that died leaves it open, and what it held, spent.
            Then "committed", "aborted", or "inside": meant for nobody but those who may see the patients.
    """

    id: str
    fingerprint: str
    purpose: str
    begun: str
    epsilon: float | None
    delta: float | None
    held: Event
    status: str = "open"
    spent: list[tuple[str, Event]] = field(default_factory=list)

    @property
    def private(self) -> bool:
        return self.epsilon is not None

    @property
    def charged(self) -> Event:
        return ev.compose([event for _, event in self.spent])

    def counted(self, order: float) -> Event:
        """What it counts as: what was charged, and while it is open no less than what was set aside."""
        if self.status != "open" or renyi_of(self.charged, order) >= renyi_of(self.held, order):
            return self.charged
        return ev.Composed((self.held, *_failures(self.charged)))


def _failures(event: Event) -> tuple[Event, ...]:
    lost = failure_of(event)
    return (ev.Failure(lost),) if lost else ()


@dataclass(slots=True)
class Cohort:
    """Extracts that share patients, and every release on any of them."""

    name: str
    cap: Cap = CAP
    extracts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)

    @property
    def private(self) -> list[Release]:
        return [r for r in self.releases.values() if r.private]

    @property
    def unprotected(self) -> int:
        """Releases without a formal guarantee: with them, the total of all releases is infinite."""
        return sum(not r.private and r.status != "inside" for r in self.releases.values())

    @property
    def epsilon(self) -> float:
        """What all private releases add up to at the cap's delta, had they been planned together."""
        order, _ = self.cap.order_and_room()
        return epsilon_of(ev.compose([r.counted(order) for r in self.private]), self.cap.delta).epsilon

    def fits(self) -> bool:
        """Whether what is entered stays within the cap."""
        order, room = self.cap.order_and_room()
        counted = [r.counted(order) for r in self.private]
        total = ev.compose(counted)
        if len(counted) == 1 and epsilon_of(total, self.cap.delta).epsilon <= self.cap.epsilon * (1 + 1e-9):
            return True
        lost = failure_of(total)
        return lost <= FAILING * self.cap.delta and math.fsum(renyi_of(e, order) for e in counted) <= room * (1 + 1e-9)


@dataclass(slots=True)
class Books:
    """All cohorts of one ledger, by name; a name that was united with another leads to the same cohort."""

    key: str = ""
    cohorts: dict[str, Cohort] = field(default_factory=dict)
    of_release: dict[str, Cohort] = field(default_factory=dict)

    def each(self) -> list[Cohort]:
        """Every cohort once, in the order in which they were first seen."""
        return list({id(c): c for c in self.cohorts.values()}.values())

    def holding(self, fingerprint: str) -> Cohort | None:
        """The cohort that an extract belongs to; None where it was never seen."""
        return next((c for c in self.each() if fingerprint in c.extracts), None)

    def kin(self, fingerprint: str, sketch: Sequence[int], name: str) -> list[Cohort]:
        """Every cohort that an extract shares patients with, or is said to."""
        found = [self.cohorts[name]] if name in self.cohorts else []
        found += [
            c
            for c in self.each()
            if fingerprint in c.extracts or any(related(sketch, known) for known in c.extracts.values())
        ]
        return list({id(c): c for c in found}.values())


def read(entries: Iterable[Entry]) -> Books:
    """The books that the entries tell.

    Raises:
        LedgerError: they do not follow from one another.
    """
    books = Books()
    for entry in entries:
        try:
            _READ[entry.kind](books, dict(entry.facts))
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerError(f"entry {entry.number} of the ledger makes no sense to this version.") from error
    return books


def _opened(books: Books, facts: dict[str, Any]) -> None:
    books.key = facts["key"]


def _extract(books: Books, facts: dict[str, Any]) -> None:
    names = facts["cohorts"]
    cohort = books.cohorts.setdefault(names[0], Cohort(names[0]))
    for name in names[1:]:
        other = books.cohorts.get(name, cohort)
        if other is not cohort:
            _unite(books, cohort, other)
        books.cohorts[name] = cohort
    cohort.extracts[facts["fingerprint"]] = tuple(facts["sketch"])


def _unite(books: Books, cohort: Cohort, other: Cohort) -> None:
    """Two cohorts turn out to share patients: what was spent on either was spent on both, under the smaller cap."""
    cohort.extracts |= other.extracts
    cohort.releases |= other.releases
    cohort.cap = Cap(min(cohort.cap.epsilon, other.cap.epsilon), min(cohort.cap.delta, other.cap.delta))
    books.cohorts = {name: cohort if c is other else c for name, c in books.cohorts.items()}
    books.of_release = {name: cohort if c is other else c for name, c in books.of_release.items()}


def _cap(books: Books, facts: dict[str, Any]) -> None:
    books.cohorts[facts["cohort"]].cap = Cap(float(facts["epsilon"]), float(facts["delta"]))


def _reserve(books: Books, facts: dict[str, Any]) -> None:
    cohort = books.holding(facts["fingerprint"])
    if cohort is None:
        raise ValueError("an extract is entered before it is spent on.")
    release = Release(
        facts["release"],
        facts["fingerprint"],
        facts["purpose"],
        facts["time"],
        facts["epsilon"],
        facts["delta"],
        ev.from_json(facts["held"]),
    )
    cohort.releases[release.id] = release
    books.of_release[release.id] = cohort


def _spend(books: Books, facts: dict[str, Any]) -> None:
    release = books.of_release[facts["release"]].releases[facts["release"]]
    release.spent.append((facts["purpose"], ev.from_json(facts["event"])))


def _end(books: Books, facts: dict[str, Any]) -> None:
    books.of_release[facts["release"]].releases[facts["release"]].status = facts["status"]


_READ = {
    "opened": _opened,
    "extract": _extract,
    "cap": _cap,
    "reserve": _reserve,
    "spend": _spend,
    "end": _end,
}
