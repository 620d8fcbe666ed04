"""From training patients to a model, and from a model to patients who never were: the verbs that make."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from semblance.contracts import (
    FORGETFUL,
    Account,
    Forge,
    Generator,
    Model,
    Repeatable,
    Run,
    silent,
)
from semblance.data.dataset import Dataset
from semblance.destination import check_new
from semblance.engines.local import Local
from semblance.errors import Unsupported
from semblance.pipeline.spending import check_private
from semblance.privacy.ledger import Charge, Ledger
from semblance.recipe import recipe as recipe
from semblance.rules.model import RuledModel, fit_with_rules
from semblance.rules.private import fit_with_rules_privately
from semblance.streaming import Stream, draw, draw_into


def fit(train: Dataset, run: Run, *, generator: Generator | str = "chain") -> Model:
    """Learn from `train`.

    Privacy: charged to the ledger before training; without differential privacy as epsilon = infinity. Where the
    ledger has an allowance, the recipe charges what it does, and one that does not is refused.

    Raises:
        Unsupported: the generator does not exist, cannot learn such a table, or promises less than is asked.
        FitError: there was nothing to learn from.
    """
    made = recipe(generator) if isinstance(generator, str) else generator
    if (reason := made.refuses(train.schema)) is not None:
        raise Unsupported(f"generator {made.name!r} cannot learn this table: {reason}")
    if run.ledger.allowance is not None:
        check_private(made, train.schema)
        return fit_with_rules_privately(made, train, run) if train.schema.rules else made.fit(train, run)
    run.ledger.charge(Charge(f"fit/{made.name}", mechanism="none"))
    return fit_with_rules(made, train, run) if train.schema.rules else made.fit(train, run)


def sample(
    model: Model,
    run: Run,
    *,
    n: int,
    given: Sequence[str] = (),
    balance: str = "",
    avoid: Dataset | None = None,
) -> Dataset:
    """Draw `n` synthetic rows, with fresh identifiers.

    Args:
        given, balance: Conditions that the rows meet; see `conditioning.sample_given`, which also says what the rows
            are worth. Here a warning says so where that is little. Beyond 50,000 rows, each block of 50,000 is drawn
            by itself, and balanced by itself.
        avoid: Real patients whose identifiers must not come up by chance.

    Privacy: reads no real value but the identifiers to avoid; spends nothing.
    """
    stream = Stream(model, run, n=n, given=given, balance=balance, avoid=avoid)
    fake = draw(stream)
    _warn(stream)
    return fake


def sample_to(
    model: Model, run: Run, *, path: Path | str, n: int, given: Sequence[str] = (), balance: str = ""
) -> Mapping[str, Account]:
    """`sample` into a new file, in the memory of a few blocks of rows; what conditional rows are worth, by condition.

    Raises:
        Unsupported: no format has this extension.
        InputError: the file exists, or cannot be written.
    """
    check_new(Path(path))
    stream = Stream(model, run, n=n, given=given, balance=balance)
    draw_into(path, stream)
    _warn(stream)
    return stream.accounts


def forge_of(recipe: Generator, model: Model | None = None) -> Forge:
    """What makes another table by `recipe` from other patients, with all rules of their schema.

    Args:
        model: The one that is judged. A recipe that can learns again with what was chosen for it, without a search.
    """
    inner = model.inner if isinstance(model, RuledModel) else model
    made = recipe.again(inner) if isinstance(recipe, Repeatable) and inner is not None else recipe

    def forge(patients: Dataset, n: int, run: Run, /) -> Dataset:
        # One worker: whoever needs several tables has them made side by side.
        alone = Ledger(run.ledger.cohort, run.ledger.allowance)  # as noisy as the judged table, and never released
        apart = replace(run, ledger=alone, engine=Local(1), checkpoint=FORGETFUL, progress=silent)
        if made is not recipe:
            apart = replace(apart, max_minutes=float("inf"))  # no larger than the model, which the clock cut already
        return sample(fit(patients, apart, generator=made), apart, n=n)

    return forge


def _warn(stream: Stream) -> None:
    for caution in {account.caution for account in stream.accounts.values()} - {None}:
        warnings.warn(str(caution), stacklevel=3)
