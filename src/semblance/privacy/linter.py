"""Does a recipe that promises an epsilon read anything off patients without a charge?

The recipe's source is followed from `fit` (``taint.py``). What `fit` returns must not depend on patients but through a
mechanism, after a charge. So categories, bounds, scalers and flags for gaps fitted to patients are found, as are early
stopping and the choice of a model by a private score, counts told in notes, and noise drawn from a seed.

It finds the uncharged; it cannot tell whether a charge is large enough, or a patient's rows are really capped: audits
with made-up patients try that. A stop by an error is taken to be seen by whoever runs it, and by nobody else.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from semblance.privacy.taint import Leak, Module, Reader, Trust, Value

BELIEVED: Mapping[str, str] = {
    "semblance.privacy.mechanisms.": "the mechanisms themselves",
    "semblance.privacy.vectors.": "the Gaussian mechanism for sums of vectors",
    "semblance.marginals.domain._labels": "labels whose noisy count passes a threshold; charged with its failure",
}
"""Functions whose answers are taken for public, and why; each is to be read by a person."""
PUBLIC_FACTS: Mapping[str, str] = {
    "schema": "what a person declared, or a charged step found",
    "sizes": "how many cells each column has, which cells found by a charge or declared say",
    "most": "the cap on rows",
    "origin": "real, augmented or synthetic",
}
"""Attributes of private objects that are public, and why."""
CHARGES = frozenset({"spend", "use", "charged"})
TEACHERS = frozenset({"backward", "give"})
"""What changes a net's gradients: to be given noisy ones only."""

_TRUST = Trust(tuple(BELIEVED), CHARGES, frozenset(PUBLIC_FACTS), ("semblance.",), TEACHERS)


def unlinted(recipe: Any) -> tuple[Leak, ...]:
    """Every place where `recipe` lets out what it read off patients without a charge; empty where there is none.

    Privacy: reads source code, and no patient.
    """
    kind = type(recipe)
    if kind not in _READ:
        _READ[kind] = _of_class(kind)
    return _READ[kind]


_READ: dict[type, tuple[Leak, ...]] = {}


def _of_class(kind: type) -> tuple[Leak, ...]:
    try:
        path = inspect.getsourcefile(kind)
    except TypeError:
        path = None
    if path is None:
        return (
            Leak(kind.__module__, 0, f"the source of {kind.__name__} cannot be read, so nothing can be said of it"),
        )
    module = Module.of(kind.__module__, path)
    fit = module.method(kind.__name__, "fit")
    if fit is None:
        return (Leak(path, 0, f"{kind.__name__} has no fit of its own that could be read"),)
    reader = Reader(_TRUST)
    itself = Value(kind=(module.name, kind.__name__))
    patients = fit.args.args[1].arg if len(fit.args.args) > 1 else "train"
    given = {"self": itself, patients: Value(private=True, line=fit.lineno)}
    returned = reader.call(module, fit, given, kind.__name__)
    if returned.private:
        reader.leak(module, fit.lineno, "what fit returns depends on patients through no mechanism")
    if not reader.charged:
        reader.leak(module, fit.lineno, "fit charges nothing")
    return tuple(reader.leaks)
