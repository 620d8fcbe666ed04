"""A model whose rows obey rules: any model of the inner table, and the way back to the outer one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Account, Filled, Generator, Model, Run
from semblance.data.cells import MIN_PATIENTS
from semblance.data.dataset import Dataset
from semblance.errors import FormatError
from semblance.rules import asking
from semblance.rules.learn import learn_rules
from semblance.rules.recode import Facts, Rules
from semblance.schema import Schema

FILE = "rules.json"


@dataclass(frozen=True, eq=False)
class RuledModel:
    """Samples what `inner` samples, decoded: every rule of the schema holds in every row.

    Attributes:
        inner: A model of ``rules.inner``.
        notes: What a reader must know about rows that break rules, and about how `inner` was learned, a sentence each.
    """

    inner: Model
    rules: Rules
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"RuledModel({self.inner!r}, {len(self.schema.rules)} rules)"

    @property
    def schema(self) -> Schema:
        return self.rules.schema

    @property
    def keeps_real_values(self) -> bool:
        """Rules add nothing of one patient's own: combinations in the file are shared by enough patients."""
        return self.inner.keeps_real_values

    @property
    def rows(self) -> float | None:
        """Rows that the inner model learned from, where it tells."""
        return getattr(self.inner, "rows", None)

    @property
    def facts(self) -> Mapping[str, float]:
        """What was measured while the inner model learned."""
        return dict(getattr(self.inner, "facts", {}))

    def sample(self, n: int, run: Run) -> Dataset:
        """Draw `n` rows. Reads no real data."""
        return self.rules.decode(self.inner.sample(n, run))

    def sample_given(self, n: int, given: Sequence[str], run: Run) -> tuple[Dataset, Account]:
        """Draw `n` rows that meet conditions and obey the rules; see ``rules/asking.py`` for what may be asked."""
        return asking.sample_given(self.inner, self.rules, n, given, run)

    def impute(self, data: Dataset, run: Run, *, columns: Sequence[str] = ()) -> tuple[Dataset, Filled]:
        """Fill missing cells of columns that stand in no rule. Raises Unsupported for others."""
        return asking.impute(self.inner, self.rules, data, run, columns=columns)

    def log_prob(self, data: Dataset) -> NDArray[np.float64]:
        """Natural log of the probability of each row's inner cells, -inf where a rule is broken: (n_rows,)."""
        return asking.log_prob(self.inner, self.rules, data)

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels of a column that are drawn. Raises InputError or Unsupported where there are none to name."""
        return asking.labels_of(self.inner, self.rules, column)

    def save(self, folder: Path) -> None:
        """Write the inner model and, beside it, ``rules.json``."""
        self.inner.save(folder)
        (folder / FILE).write_text(json.dumps(self.rules.facts.to_dict(), ensure_ascii=False), encoding="utf-8")


def fit_with_rules(recipe: Generator, train: Dataset, run: Run) -> RuledModel:
    """Let `recipe` learn the inner table of `train`.

    Raises:
        SchemaError: the real rows break a rule so often that it cannot be meant.
        FitError: as the recipe's own `fit`.
    """
    learned = learn_rules(train, min_patients=getattr(recipe, "min_patients", MIN_PATIENTS))
    inner = recipe.fit(learned.rules.encode(learned.rows), run)
    return RuledModel(inner, learned.rules, (*learned.notes, *getattr(inner, "notes", ())))


def load_with_rules(recipe: type[Generator], folder: Path, schema: Schema) -> RuledModel:
    """Read back what `RuledModel.save` wrote.

    Raises:
        FormatError: the file of rules is damaged.
    """
    try:
        facts = Facts.from_dict(json.loads((folder / FILE).read_text(encoding="utf-8")))
        rules = Rules(schema, facts)
        inner = rules.inner
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{folder / FILE} is damaged; fit the model again.") from error
    return RuledModel(recipe.load(folder, inner), rules)
