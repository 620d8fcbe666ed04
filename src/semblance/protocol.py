"""Did the making of the table keep to the rules that make its judgement worth something?

What an attack finds says nothing when the holdout was seen before the table was made: a generator that stopped where
held-out patients looked best has learned from them, and they are strangers no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from semblance.evidence import Finding

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
