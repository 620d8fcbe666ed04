"""A run that promises something: its allowance, its place in the cohort's ledger, and what it may not touch.

Everything that such a run reads off patients before the recipe does, it reads here: who they are (for the ledger,
which stays inside), and how the columns are written (charged, unless a person declared it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semblance import provenance
from semblance.checkpoint import work_on
from semblance.contracts import FORGETFUL, Checkpoint, Generator, Model, Run
from semblance.data.dataset import Dataset
from semblance.data.describe.votes import describe_by_votes, fitting, guess_subject
from semblance.data.raw import Raw
from semblance.data.split import Vault, split_alone
from semblance.errors import InputError, Unsupported
from semblance.image_contracts import ImageGenerator
from semblance.pipeline.reading import begin, read, roles, split, understood
from semblance.privacy.events import Zcdp
from semblance.privacy.kinship import sketch
from semblance.privacy.ledger import Allowance, Charge, Ledger
from semblance.privacy.ledger_file import CohortLedger, Extract, Plan, default_path
from semblance.privacy.linter import unlinted
from semblance.recipe import recipe
from semblance.schema import Column, Schema

USUAL_DELTA = 1e-6
VOTING = 0.05
"""Share of the budget, in rho, for finding how the columns are written where nobody declared it."""
CERTAIN = 1e9
"""Rho at which votes are exact."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a person asked for.

    Attributes:
        epsilon: None for no promise. delta: Must be below one over the number of patients.
        unit: "patient", or the column whose values are hidden instead, such as a household.
        rows: Rows of one unit that are learned from, at most.
        cohort: Name that all extracts of the same patients are given. ledger: Its file; None for the usual place.
        show: Told the plan before anything is spent.
    """

    epsilon: float | None = None
    delta: float | None = None
    unit: str = "patient"
    rows: int = 1
    cohort: str = ""
    ledger: Path | None = None
    show: Callable[[Plan], None] | None = None

    def __post_init__(self) -> None:
        if self.epsilon is None and self.delta is not None:
            raise InputError("delta says nothing without epsilon; give --epsilon too.")
        if self.epsilon is not None and not 0 < self.epsilon < float("inf"):
            raise InputError("epsilon must be above 0 and finite; 1 is a usual choice.")
        if self.delta is not None and not 0 < self.delta < 1:
            raise InputError("delta must lie between 0 and 1, below one over the number of patients.")
        if self.rows < 1:
            raise InputError("at least one row of each patient must be learned from.")

    @property
    def allowance(self) -> Allowance | None:
        """None where nothing is promised."""
        if self.epsilon is None:
            return None
        return Allowance(self.epsilon, self.delta or USUAL_DELTA, unit=self.unit, cap=self.rows)

    @property
    def file(self) -> CohortLedger:
        return CohortLedger(self.ledger or default_path())

    def subject(self, named: str | None) -> str | None:
        """The column of the unit: the one that was named as patient, or the larger unit."""
        if self.unit == "patient":
            return named
        if named not in (None, self.unit):
            raise InputError(f"--unit {self.unit} and --subject {named} name two units; the larger one is enough.")
        return self.unit


NO_PROMISE = Budget()


@dataclass(slots=True)
class Promise:
    """How one call may touch its patients: freely where nothing is promised, else by charges alone.

    Attributes:
        released: Whether something left the house; told by whoever knows, before the end.
    """

    raw: Raw
    schema: Schema | None
    target: str | None
    subject: str | None
    ledger: Ledger
    budget: Budget
    released: bool = False

    def begin(self, **asked: Any) -> Run:
        """The run that spends from this ledger. Arguments as of `reading.begin`."""
        return begin(cohort=self.raw.fingerprint, ledger=self.ledger, **asked)

    def understand(self, run: Run) -> tuple[Schema, Dataset]:
        """What the columns mean, and the patients. PRIVACY: charged, or without a promise entered as such.

        Raises:
            BudgetExceeded, InputError: see ``data/describe/votes.py``. InputError: delta is too large.
        """
        allowed = self.ledger.allowance
        if allowed is None:
            if self.schema is None:
                self.ledger.charge(Charge("describe", mechanism="none"))
            _, meaning, patients = understood(self.raw, schema=self.schema, target=self.target, subject=self.subject)
            return meaning, patients
        meaning = without_what_was_read(roles(self._voted(allowed), self.target, self.subject))
        patients = read(fitting(self.raw, meaning), meaning)
        check_delta(allowed, patients.n_subjects)
        return meaning, patients

    def _voted(self, allowed: Allowance) -> Schema:
        """How columns are written, as far as no person declared it."""
        rho = self.ledger.largest(Zcdp, share=VOTING)
        rows, spend = allowed.cap or 1, self.ledger.spend
        return describe_by_votes(self.raw, subject=self.subject, rows=rows, rho=rho, spend=spend, known=self.schema)

    def notes(self, patients: Dataset, train: Dataset, model: Model) -> list[str]:
        """What a reader must know, without counting patients where that would be a touch of its own."""
        if self.ledger.allowance is not None:
            return provenance.promised_notes(patients.schema, model)
        return provenance.all_notes(patients, train, model)

    def avoided(self, patients: Dataset) -> Dataset | None:
        """Whose identifiers must not come up by chance; nobody's where looking at them would be a touch of its own."""
        return None if self.ledger.allowance is not None else patients

    def split(self, patients: Dataset, run: Run) -> Vault:
        """Who is learned from. With a promise, where one patient goes depends on nobody else."""
        return split(patients, run) if self.ledger.allowance is None else split_alone(patients, run.seeds)

    @contextmanager
    def work_on(self, target: Path, of: Mapping[str, str], *, resume: bool) -> Iterator[Checkpoint]:
        """Where unfinished work is kept; nowhere with a promise, because to resume is to draw noise again.

        Raises:
            Unsupported: somebody asked to resume such work.
        """
        with keep_work(self.ledger, target, of, resume=resume) as work:
            yield work


@contextmanager
def keep_work(ledger: Ledger, target: Path, of: Mapping[str, str], *, resume: bool) -> Iterator[Checkpoint]:
    """As `Promise.work_on`, for whoever holds the ledger."""
    if ledger.allowance is not None:
        if resume:
            raise Unsupported("a run with --epsilon cannot be resumed: what it drew is spent; begin it anew.")
        yield FORGETFUL
        return
    with work_on(target, of, resume=resume) as work:
        yield work


@dataclass(slots=True)
class Account:
    """One release's ledger. `released`: told by whoever knows whether something left the house, before the end."""

    ledger: Ledger
    released: bool = False


@contextmanager
def account_of(extract: Extract, budget: Budget, *, purpose: str) -> Iterator[Account]:
    """A ledger for one release, entered in the cohort's; closed as aborted unless told that something was released.

    Raises:
        BudgetExceeded: the cohort's cap does not allow it; nothing was read or drawn.
    """
    allowed, file = budget.allowance, budget.file
    if allowed is None:
        account = Account(Ledger(extract.fingerprint))
        yield account
        if account.released:
            file.enter_unprotected(extract, purpose=purpose)
        return
    plan = file.plan(extract, allowed)
    held = file.reserve(extract, allowed, purpose=purpose)
    if budget.show is not None:
        budget.show(plan)
    account = Account(Ledger(extract.fingerprint, allowed, held))
    try:
        yield account
    finally:
        held.commit() if account.released else held.abort()


@contextmanager
def promising(
    raw: Raw, budget: Budget, *, schema: Schema | None, target: str | None, subject: str | None, purpose: str
) -> Iterator[Promise]:
    """A promise, entered in the cohort's ledger; closed as aborted unless told that something was released.

    Raises:
        BudgetExceeded: the cohort's cap does not allow it; nothing was read or drawn.
    """
    subject = budget.subject(subject)
    with account_of(_extract(raw, schema, subject, budget), budget, purpose=purpose) as account:
        promise = Promise(raw, schema, target, subject, account.ledger, budget)
        try:
            yield promise
        finally:
            account.released = promise.released


def enter_inside(raw: Raw, schema: Schema, budget: Budget, *, purpose: str) -> None:
    """Enter a look at patients whose result has no guarantee and is to stay with those who may see them."""
    budget.file.enter_unprotected(_extract(raw, schema, schema.subject, budget), purpose=purpose, inside=True)


def _extract(raw: Raw, schema: Schema | None, subject: str | None, budget: Budget) -> Extract:
    """Who the patients are, by the column that numbers them, or where none does, by their whole rows."""
    names = [str(name) for name in raw.frame.columns]
    named = subject or (schema.subject if schema is not None else guess_subject(names))
    patients = raw.frame[named] if named in names else raw.frame
    return Extract(raw.fingerprint, sketch(patients, budget.file.key()), budget.cohort)


def usual(generator: Generator | str | None, budget: Budget) -> Generator:
    """The recipe that was asked for, or the usual one: "chain", or where something is promised "marginals".

    Raises:
        Unsupported: it promises nothing, where something is to be promised.
    """
    named = usual_name(budget) if generator is None else generator
    made = recipe(named) if isinstance(named, str) else named
    if budget.allowance is not None:
        check_recipe(made)
    return made


def usual_name(budget: Budget) -> str:
    """Name of the recipe that is used where nobody names one."""
    return "chain" if budget.allowance is None else "marginals"


def as_votes_would_tell(raw: Raw, known: Schema, allowed: Allowance) -> Schema:
    """The schema that a run with a promise would find, were its votes free of noise.

    PRIVACY: exact, so for what stays inside.
    """
    found = describe_by_votes(
        raw, subject=known.subject, rows=allowed.cap or 1, rho=CERTAIN, spend=lambda *_: None, known=known
    )
    return without_what_was_read(found)


def without_what_was_read(schema: Schema) -> Schema:
    """The schema without bounds and labels that were read off patients: only what a person declared stays."""
    return replace(schema, columns=tuple(c if c.bounds == "declared" else _open(c) for c in schema))


def _open(column: Column) -> Column:
    kind = "category" if column.kind == "ordinal" else column.kind  # an order of labels that nobody knows is none
    return replace(column, kind=kind, low=None, high=None, categories=(), why="")


def check_delta(allowed: Allowance, patients: int) -> None:
    """Refuse a delta by which a patient could be published whole. Raises InputError."""
    if allowed.delta * patients >= 1:
        raise InputError(
            f"delta = {allowed.delta:g} is not below one over the number of patients, so that publishing one of "
            "them whole would be allowed; ask for a smaller --delta."
        )


def check_recipe(made: Generator | ImageGenerator, *, such_as: str = "marginals") -> None:
    """Refuse a recipe that promises nothing by its own word, or reads patients without a charge by its code.

    Args:
        such_as: One that promises something.

    Raises:
        Unsupported: see above.
    """
    if not getattr(made, "private", False):
        raise Unsupported(
            f"generator {made.name!r} has no differential privacy; use one that has, such as {such_as}, or leave out "
            "--epsilon."
        )
    if leaks := unlinted(made):
        raise Unsupported(f"generator {made.name!r} breaks its promise of privacy: {leaks[0]}; correct it first.")


def check_private(made: Generator, schema: Schema) -> None:
    """Refuse what would touch patients without charging.

    Raises:
        Unsupported: the recipe promises nothing, or the schema has rules that it does not keep by itself.
    """
    check_recipe(made)
    if schema.rules and not getattr(made, "keeps_rules", False):
        raise Unsupported(
            f"the schema has rules, which are learned from patients without charge, and generator {made.name!r} does "
            "not keep them by itself; leave the rules out, or leave out --epsilon."
        )


def rows_to_draw(asked: int | None, train: Dataset, model: Model, run: Run) -> int:
    """How many rows to draw: as many as were learned from, and where that number is a secret, what the model says.

    Raises:
        InputError: the number is a secret, and neither a person nor the model names another.
    """
    if run.ledger.allowance is None:
        return asked or train.n_rows
    told = asked or getattr(model, "rows", None)
    if told is None:
        raise InputError("how many patients there are is a secret here; say how many rows to draw by --rows.")
    return max(1, round(told))
