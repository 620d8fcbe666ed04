"""Did the making of the table keep to the rules that make its judgement worth something?

What an attack finds says nothing when the holdout was seen before the table was made: a generator that stopped where
held-out patients looked best has learned from them, and they are strangers no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from semblance.evidence import Finding
from semblance.privacy.events import Uncharged
from semblance.privacy.ledger import Ledger

EARLY = "protocol.holdout.early"


def holdout_kept(opened: Sequence[str] | None) -> Finding:
    """How often the holdout had been opened before the table was drawn.

    Args:
        opened: What it was opened for until then; None where the table was made elsewhere and nobody here can know.
    """
    question = "Were the held-out patients opened before the synthetic table was made?"
    method = "openings recorded by the vault that keeps the held-out patients, up to the drawing of the table"
    if opened is None:
        why = "the table was made elsewhere, so nobody here can know who had seen the held-out patients"
        return Finding(
            EARLY, question, unit="openings", direction="lower", baseline=0.0, status="skipped", why=why, method=method
        )
    n = float(len(opened))
    return Finding(
        EARLY, question, value=n, low=n, high=n, unit="openings", direction="lower", baseline=0.0, method=method
    )


def promise_kept(ledger: Ledger, *, units: int, uncharged: int) -> tuple[Finding, ...]:
    """The promise as the gate reads it; nothing where none is made.

    Args:
        units: Patients, or what else the promise is about: delta is compared with their number.
        uncharged: Steps of the recipe that read patients without a charge, as the linter found them.
    """
    if ledger.allowance is None or (claim := ledger.claim()) is None:
        return ()
    epsilon, share = float(claim["epsilon"]), ledger.allowance.delta * units
    free = float(uncharged + sum(c.event == Uncharged() for c in ledger.charges))
    return (
        Finding(
            "privacy.epsilon", "What is promised?", value=epsilon, unit="ε", direction="lower",
            method="all charges of the ledger, added up by privacy loss distributions and by Renyi divergence",
        ),
        Finding(
            "privacy.uncharged.count", "Was anything read off patients without a charge?", value=free, unit="steps",
            direction="lower", baseline=0.0, method="charges of the ledger, and the code of the recipe",
        ),
        Finding(
            "privacy.delta.patients", "Could delta hide the publication of a whole patient?", value=share,
            unit="patients", direction="lower", n=units, method="delta times the number of patients",
        ),
    )  # fmt: skip
