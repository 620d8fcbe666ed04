"""What every generator, audit, format and engine promises. No base classes: obey the shape and be listed
in ``catalog.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.data.raw import Raw
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Schema
from semblance.seeds import Seeds

A = TypeVar("A")
B = TypeVar("B")


class Progress(Protocol):
    def __call__(self, stage: str, done: int, total: int) -> None:
        """Called as work goes on; `stage` is a few words for a person, such as "learning columns".

        What follows " · " may change as the stage goes on, such as "learning · ε = 0.42 so far".
        """


def silent(stage: str, done: int, total: int) -> None:
    """Progress for callers who do not watch."""


class Engine(Protocol):
    """Where work runs. The local engine is the truth; any other must give the same answers."""

    name: ClassVar[str]
    about: ClassVar[str]

    @property
    def workers(self) -> int:
        """How many items run at once."""

    def map(self, fn: Callable[[A], B], items: Iterable[A]) -> list[B]:
        """`fn` of each item, in order. `fn` must not depend on the order of evaluation."""


class Checkpoint(Protocol):
    """Where a step leaves finished parts of its work, so that the same work, begun again, need not do them twice.

    Privacy: parts of a model are as private as the model. A part costs no budget of its own: the step that makes
    it is charged as a whole, each time it is begun.
    """

    def get(self, key: str) -> Path | None:
        """The folder that was filled under `key`, as it was written; None where there is none."""

    def put(self, key: str, write: Callable[[Path], object]) -> None:
        """Let `write` fill an empty folder with data files, and keep it: whole or not at all, whatever happens.

        An earlier part of the same key is removed first. Who must not lose it writes under two keys in turn.
        """


class Forgetful:
    """The checkpoint of work that is not to be resumed: keeps nothing."""

    def get(self, key: str) -> Path | None:
        return None

    def put(self, key: str, write: Callable[[Path], object]) -> None:
        return None


FORGETFUL = Forgetful()


@dataclass(frozen=True, slots=True)
class Run:
    """All that a step may use up: randomness, privacy budget, processors, a person's patience.

    Attributes:
        quick: Asks for less precision; findings then say so through their wider intervals.
        max_minutes: Time for learning, by the wall. Where it cuts something short the result depends on the clock,
            and the model's notes say so.
        checkpoint: Where learning leaves what it has finished.
        gallery: A folder where a training of images leaves pictures of how it goes; None for none.
    """

    seeds: Seeds
    ledger: Ledger
    engine: Engine
    progress: Progress = silent
    quick: bool = False
    max_minutes: float = float("inf")
    checkpoint: Checkpoint = FORGETFUL
    gallery: Path | None = None


class Model(Protocol):
    """A fitted, immutable thing that samples.

    It may have `notes`: what a reader must know about how it was learned, a tuple of sentences. It may have `facts`:
    what was measured while it learned, a mapping of names such as "rate_nats" to numbers.
    """

    @property
    def schema(self) -> Schema:
        """What the sampled columns mean."""

    @property
    def keeps_real_values(self) -> bool:
        """True when a real patient's own value can be read out of the saved model."""

    def sample(self, n: int, run: Run) -> Dataset:
        """Draw `n` rows with origin "synthetic" and exactly the Schema's columns.

        Privacy: reads no real data and spends nothing. Subject, surrogate and blank columns come out missing; the
        pipeline fills them (``data/surrogates.py``).
        """

    def save(self, folder: Path) -> None:
        """Write data files only (JSON, npz, text); loading them never runs code."""


@dataclass(frozen=True, slots=True)
class Account:
    """What rows that were drawn under conditions are worth.

    Attributes:
        rows: Rows drawn.
        particles: Partial rows that they were drawn from, weighted by how likely they meet the conditions.
        effective: Independent particles that would tell as much.
        repeated: Rows that copy another one's particle, and so all its columns up to the last condition.
        probability: Estimated share of all rows, drawn without conditions, that meet them.
    """

    rows: int
    particles: int
    effective: float
    repeated: int
    probability: float

    @classmethod
    def together(cls, accounts: Sequence[Account]) -> Account:
        """One account of several draws under the same conditions."""
        particles = sum(a.particles for a in accounts)
        return cls(
            rows=sum(a.rows for a in accounts),
            particles=particles,
            effective=sum(a.effective for a in accounts),
            repeated=sum(a.repeated for a in accounts),
            probability=sum(a.probability * a.particles for a in accounts) / particles,
        )

    @property
    def caution(self) -> str | None:
        """One sentence where the rows tell clearly less than their number says; None otherwise."""
        if self.effective >= 0.5 * self.rows:
            return None
        return (
            f"the conditions are rarely met together: the {self.rows} rows tell as much as {self.effective:.0f} "
            f"independent ones, and {self.repeated} of them begin as a copy of another."
        )


@dataclass(frozen=True, slots=True)
class Filled:
    """What filled cells are worth.

    Attributes:
        rows: Rows in which something was filled. cells: Cells filled.
        particles: Candidates for each row. effective: Independent ones that would tell as much; the median row.
        thin: Rows with fewer than two effective candidates.
    """

    rows: int
    cells: int
    particles: int
    effective: float
    thin: int

    @property
    def caution(self) -> str | None:
        """One sentence where many rows had too few candidates; None otherwise."""
        if self.thin <= 0.1 * self.rows:
            return None
        return (
            f"{self.thin} of {self.rows} filled rows had fewer than two candidates that fit what is known of them; "
            "their values are rough."
        )


@runtime_checkable
class Conditional(Protocol):
    """What a model can also promise: answers about some columns given others."""

    def sample_given(self, n: int, given: Sequence[str], run: Run) -> tuple[Dataset, Account]:
        """Draw `n` rows that meet every condition, such as "sex=F" or "age>=65"."""

    def impute(self, data: Dataset, run: Run, *, columns: Sequence[str] = ()) -> tuple[Dataset, Filled]:
        """Fill missing cells given the rest of their row; what was there stays as it is."""

    def log_prob(self, data: Dataset) -> NDArray[np.float64]:
        """Natural log of the probability of each row: (n_rows,)."""

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels of a column that can be drawn. Raises InputError where it is not learned or holds no labels."""


class Generator(Protocol):
    """A recipe: a frozen dataclass whose fields are its parameters; cheap to import.

    It may have an `extra`: the optional packages it needs, by their name in ``extras.py``.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def refuses(self, schema: Schema) -> str | None:
        """Why this recipe cannot learn such a table, in a sentence; None when it can."""

    def fit(self, train: Dataset, run: Run) -> Model:
        """Learn from `train` only."""

    @staticmethod
    def load(folder: Path, schema: Schema) -> Model:
        """Read back what `Model.save` wrote."""


@runtime_checkable
class Repeatable(Protocol):
    """What a recipe can also promise: to learn other patients with what a model of it had to search for."""

    def again(self, model: Model) -> Generator:
        """The recipe without the search: what it learns is as large as `model`, which it does not copy anything from.

        Privacy: choices made on the patients of `model` are known to whoever learns again, as they are to an attacker
        who knows the model's size.
        """


class Forge(Protocol):
    """Makes another synthetic table by the recipe of the first, from other patients: what shadow models need."""

    def __call__(self, patients: Dataset, n: int, run: Run, /) -> Dataset:
        """Learn from `patients` as the judged model was learned, and draw `n` rows, with one worker.

        Privacy: the table never leaves the audit; it is not charged. Not to be called with more patients than memory
        and time allow: it costs as much as learning did.
        """


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that an audit may see.

    `train` is what the generator learned from, `held` patients it never saw, `fake` what it made. `model`, `recipe`
    and `forge` are None when the table was made elsewhere.
    """

    train: Dataset
    held: Dataset
    fake: Dataset
    model: Model | None = None
    recipe: Generator | None = None
    forge: Forge | None = None


class Audit(Protocol):
    """One question about a synthetic table. Never warns, never decides: returns Findings."""

    name: ClassVar[str]
    asks: ClassVar[str]

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        """Measure. A question that cannot be answered comes back as a skipped or underpowered Finding."""


class Format(Protocol):
    """One file format: read and write."""

    name: ClassVar[str]
    about: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    def read(self, path: Path) -> Raw:
        """Read one file. Raises FormatError with the place (line number) and the cure."""

    def write(self, data: Dataset, path: Path) -> None:
        """Write `data` as its schema's dialect says. Callers write to a temporary name and rename."""

    def write_blocks(self, blocks: Iterable[Dataset], path: Path) -> None:
        """`write` tables of one schema, at least one, below each other, holding only one at a time."""
