"""The ledger over releases: one file for all that this account ever releases, on whatever patients.

    reserve ─→ spend, spend, … ─→ commit       a release that left the house
                              └→ abort        it did not; what was charged by then stays spent
                              └→ (nothing)    the process died: all that was set aside counts as spent

Each step is entered before what it allows is done. By default the file lies in the user's state folder and not beside
a source, because copies and other extracts of the same patients must find it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semblance.errors import BudgetExceeded, InputError, LedgerError, Unsupported
from semblance.privacy import cohorts
from semblance.privacy import events as ev
from semblance.privacy.chain import Chain, Entry
from semblance.privacy.cohorts import Books, Cap, Cohort, Release
from semblance.privacy.events import Event
from semblance.privacy.kinship import new_key
from semblance.privacy.ledger import Allowance

NAMED_BY = "SEMBLANCE_LEDGER"
SHORT = 12
"""Characters of a fingerprint that name a cohort nobody named."""


def default_path() -> Path:
    """The file that ``SEMBLANCE_LEDGER`` names, or ``semblance/ledger.db`` in the user's state folder."""
    if named := os.environ.get(NAMED_BY):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "semblance" / "ledger.db"


@dataclass(frozen=True, slots=True)
class Extract:
    """The patients of one source.

    Attributes:
        fingerprint: SHA-256 of the source. sketch: See ``kinship.py``; empty where it was not made.
        cohort: Name that a person gave to all extracts of the same patients; empty for none.
    """

    fingerprint: str
    sketch: Sequence[int] = ()
    cohort: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a release would do to the budget, for a person to see before it does.

    Attributes:
        before, after: Epsilon of all private releases on the cohort, at the cap's delta.
        unprotected: Releases on the cohort that have no formal guarantee.
    """

    cohort: str
    epsilon: float
    delta: float
    before: float
    after: float
    cap: Cap
    unprotected: int

    def __str__(self) -> str:
        said = (
            f"this will cost ε = {self.epsilon:.2f} of the cohort's {self.cap.epsilon:.2f} (cohort {self.cohort}, "
            f"δ = {self.cap.delta:g}): ε = {self.before:.2f} is spent, {self.after:.2f} will be."
        )
        if self.unprotected:
            times = "once" if self.unprotected == 1 else f"{self.unprotected} times"
            said += f" These patients were also released {times} without any guarantee, which no ε covers."
        return said


@dataclass(frozen=True, slots=True)
class CohortLedger:
    """The file. Every method may be called by several processes at once."""

    path: Path = field(default_factory=default_path)

    def entries(self) -> tuple[Entry, ...]:
        """All entries, checked. Raises LedgerError where something else changed them."""
        return Chain(self.path).read()

    def books(self) -> Books:
        """What the entries tell. Raises LedgerError."""
        return cohorts.read(self.entries())

    def key(self) -> str:
        """The key for `kinship.sketch`; opens the ledger where there is none."""

        def decide(known: tuple[Entry, ...]) -> tuple[list[dict[str, Any]], str]:
            if known:
                return [], cohorts.read(known).key
            key = new_key()
            return [{"kind": "opened", "key": key}], key

        return Chain(self.path).add(decide)

    def set_cap(self, cohort: str, cap: Cap) -> None:
        """Set the most that may be spent on a cohort; that it was changed stays on record.

        Raises:
            InputError: there is no such cohort.
        """

        def decide(known: tuple[Entry, ...]) -> tuple[list[dict[str, Any]], None]:
            found = self._named(cohorts.read(known), cohort)
            facts = {"kind": "cap", "cohort": found.name, "epsilon": cap.epsilon, "delta": cap.delta}
            return [facts], None

        Chain(self.path).add(decide)

    def plan(self, extract: Extract, allowance: Allowance) -> Plan:
        """What reserving would do; enters nothing."""
        known = self.entries()
        new, _ = _reserving(cohorts.read(known), extract, "", allowance)
        return _plan(known, new, extract, allowance)

    def reserve(self, extract: Extract, allowance: Allowance, *, purpose: str) -> Reservation:
        """Set the whole allowance aside for one release.

        Raises:
            BudgetExceeded: the cohort's cap does not allow it; nothing is entered.
            Unsupported: the allowance is not about adding or removing a patient.
        """

        def decide(known: tuple[Entry, ...]) -> tuple[list[dict[str, Any]], str]:
            new, name = _reserving(cohorts.read(known), extract, purpose, allowance)
            plan = _plan(known, new, extract, allowance)
            after = _after(known, new)
            if allowance.delta > plan.cap.delta * (1 + 1e-9):
                raise BudgetExceeded(
                    f"delta = {allowance.delta:g} is above the {plan.cap.delta:g} that cohort {plan.cohort} is "
                    "counted at; ask for a smaller --delta."
                )
            if not after.of_release[name].fits():
                raise BudgetExceeded(
                    f"epsilon = {allowance.epsilon:g} more would pass the cap of {plan.cap.epsilon:g} of cohort "
                    f"{plan.cohort} ({plan.before:.2f} is spent, {plan.after:.2f} would be had all been planned at "
                    "once, and more as each was planned after the last); nothing was drawn. Ask for less, or have the "
                    "cap raised (`semblance ledger cap`)."
                )
            return new, name

        return Reservation(self, Chain(self.path).add(decide), allowance)

    def enter_unprotected(self, extract: Extract, *, purpose: str, inside: bool = False) -> None:
        """Enter a release without differential privacy: epsilon = infinity. Never refused.

        Args:
            inside: It stays with those who may see the patients, such as a comparison of settings.
        """

        def decide(known: tuple[Entry, ...]) -> tuple[list[dict[str, Any]], None]:
            new, name = _reserving(cohorts.read(known), extract, purpose, None)
            return [*new, {"kind": "end", "release": name, "status": "inside" if inside else "committed"}], None

        Chain(self.path).add(decide)

    def _named(self, books: Books, name: str) -> Cohort:
        found = [c for key, c in books.cohorts.items() if key == name or any(f.startswith(name) for f in c.extracts)]
        if len({id(c) for c in found}) != 1:
            known = ", ".join(c.name for c in books.each()) or "none"
            raise InputError(f"the ledger {self.path} has no one cohort {name!r}; it has {known}.")
        return found[0]


@dataclass(slots=True)
class Reservation:
    """Budget set aside for one release; `spend` it before drawing noise, then `commit` or `abort`."""

    ledger: CohortLedger
    release: str
    allowance: Allowance
    head: str = ""
    """Hash of the latest entry: who keeps it can tell whether the ledger was put back to an earlier state."""

    def spend(self, purpose: str, event: Event) -> None:
        """Enter a charge.

        Raises:
            BudgetExceeded: the cohort's cap does not allow it; nothing is entered.
            LedgerError: the release is closed already.
        """
        facts = {"kind": "spend", "release": self.release, "purpose": purpose, "event": ev.to_json(event)}

        def decide(known: tuple[Entry, ...]) -> tuple[list[dict[str, Any]], None]:
            self._open(known)
            cohort = _after(known, [facts]).of_release[self.release]
            if not cohort.fits():
                raise BudgetExceeded(
                    f"{purpose} does not fit under the cap of epsilon = {cohort.cap.epsilon:g} of cohort "
                    f"{cohort.name}; nothing was drawn."
                )
            return [facts], None

        Chain(self.ledger.path).add(decide)
        self.head = self.ledger.entries()[-1].hash

    def commit(self) -> None:
        """The release left the house. What was set aside and not charged is free again."""
        self._end("committed")

    def abort(self) -> None:
        """The release did not leave the house. What was charged stays spent, because it was drawn."""
        self._end("aborted")

    def _end(self, status: str) -> None:
        facts = {"kind": "end", "release": self.release, "status": status}

        def decide(known: tuple[Entry, ...]) -> tuple[list[dict[str, Any]], None]:
            self._open(known)
            return [facts], None

        Chain(self.ledger.path).add(decide)
        self.head = self.ledger.entries()[-1].hash

    def _open(self, known: tuple[Entry, ...]) -> Release:
        cohort = cohorts.read(known).of_release.get(self.release)
        if cohort is None or cohort.releases[self.release].status != "open":
            raise LedgerError(f"release {self.release} is not open in {self.ledger.path}; begin the run anew.")
        return cohort.releases[self.release]


def held_for(allowance: Allowance) -> Event:
    """What is set aside for an allowance: the Gaussian noise that would use it up."""
    from dp_accounting import get_sigma_gaussian

    return ev.Gaussian(float(get_sigma_gaussian(allowance.epsilon, 0.9 * allowance.delta)))


def _reserving(
    books: Books, extract: Extract, purpose: str, allowance: Allowance | None
) -> tuple[list[dict[str, Any]], str]:
    """The entries that begin a release, and its name."""
    if allowance is not None and allowance.relation != "add_or_remove":
        raise Unsupported("the ledger counts patients added or removed; a release that replaces one is not counted.")
    kin = books.kin(extract.fingerprint, extract.sketch, extract.cohort)
    names = [c.name for c in kin]
    if extract.cohort and extract.cohort not in books.cohorts:
        names = [*names, extract.cohort]
    names = names or [extract.fingerprint[:SHORT]]
    release = secrets.token_hex(8)
    new: list[dict[str, Any]] = [] if books.key else [{"kind": "opened", "key": new_key()}]
    known = books.holding(extract.fingerprint)
    if known is None or any(books.cohorts.get(name) is not known for name in names):
        facts = {"fingerprint": extract.fingerprint, "sketch": list(extract.sketch), "cohorts": names}
        new.append({"kind": "extract", **facts})
    reserve = {"kind": "reserve", "release": release, "fingerprint": extract.fingerprint, "purpose": purpose}
    held = ev.Uncharged() if allowance is None else held_for(allowance)
    claim = (None, None) if allowance is None else (allowance.epsilon, allowance.delta)
    return [*new, {**reserve, "held": ev.to_json(held), "epsilon": claim[0], "delta": claim[1]}], release


def _after(known: tuple[Entry, ...], new: Sequence[dict[str, Any]]) -> Books:
    """The books as they would be with more entries."""
    return cohorts.read([*known, *(Entry(0, {**facts, "time": ""}, "") for facts in new)])


def _plan(known: tuple[Entry, ...], new: Sequence[dict[str, Any]], extract: Extract, allowance: Allowance) -> Plan:
    joined = _after(known, new[:-1]).holding(extract.fingerprint)
    after = _after(known, new).holding(extract.fingerprint)
    assert joined is not None
    assert after is not None
    return Plan(
        after.name, allowance.epsilon, allowance.delta, joined.epsilon, after.epsilon, after.cap, after.unprotected
    )
