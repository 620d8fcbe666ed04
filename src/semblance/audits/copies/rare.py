"""Values that one patient alone has, and that reappear in the synthetic table: a rare diagnosis, an exact amount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from semblance import stats
from semblance.attacks.advantage import advantage
from semblance.attacks.own import Held, Ints, Mask, Scanned, everyone, scan, tally, telling, union
from semblance.contracts import Comparison, Run
from semblance.data.encode import labels, numbers
from semblance.evidence import Finding
from semblance.schema import Column

NAME = "copies.rare.excess"
QUESTION = "Do values that one patient alone has come up again more often for training patients than for held-out ones?"
SHOWN = 10


def rare(comparison: Comparison, columns: tuple[Column, ...], run: Run) -> Finding:
    """Share of training patients betrayed by a value of their own minus share of held-out patients."""
    patients = everyone(comparison)
    n_patients = comparison.train.n_subjects + comparison.held.n_subjects
    trained = np.arange(n_patients) < comparison.train.n_subjects
    apart = run.seeds("audit/copies/rare").permutation(n_patients) < n_patients // 3
    scanned = []
    for column in columns:
        keys, made = _keys(comparison, column)
        scanned.append(scan(column.name, Held.of(keys, patients), made, apart))
    used = telling(scanned, apart)
    members, others = tally(union([s.hit for s in used], n_patients), trained)
    naive = tally(union([s.naive for s in used], n_patients), trained & ~apart)[0]
    return advantage(
        NAME,
        QUESTION,
        members=members,
        others=others,
        naive=naive,
        method="a patient counts once who has a value that nobody else has, training and held-out patients together, "
        f"and that comes up in the synthetic table; {len(used)} of {len(columns)} columns, those in which it would "
        "hardly come up among other real patients",
        detail={
            "few": _difference(union([s.few for s in used], n_patients), trained),
            "columns": _worst(used, trained),
            "left_out": sorted({c.name for c in columns} - {s.name for s in used}),
            "queries": int(others.n),
        },
    )


def _keys(comparison: Comparison, column: Column) -> tuple[Ints, Ints]:
    """Values of real and of synthetic rows, numbered alike, -1 where missing; numbers agree to six decimals."""
    parts: list[Any] = []
    for table in (comparison.train, comparison.held, comparison.fake):
        if column.numeric:
            parts.append(np.round(numbers(table, column.name), 6) + 0.0)
        else:
            parts.append(pd.Series(labels(table, column.name)).mask(table.frame[column.name].isna(), None).to_numpy())
    code = pd.factorize(np.concatenate(parts))[0].astype(np.int64)
    real = len(parts[0]) + len(parts[1])
    return code[:real], np.unique(code[real:])


def _difference(hit: Mask, trained: Mask) -> dict[str, float]:
    """The same for values that two to ten patients share: an owner on each side blurs it, so it is told, not judged."""
    members, others = tally(hit, trained)
    found = stats.newcombe(members.hits, members.n, others.hits, others.n)
    return {"value": found.value, "low": found.low, "high": found.high}


def _worst(used: Sequence[Scanned], trained: Mask) -> list[dict[str, Any]]:
    """The columns that betray most, rounded."""
    rates = {s.name: tally(s.hit, trained) for s in used if s.hit.any()}
    found = [(name, members.rate, others.rate) for name, (members, others) in rates.items()]
    found.sort(key=lambda c: (c[2] - c[1], c[0]))
    return [{"name": name, "members": round(a, 3), "others": round(b, 3)} for name, a, b in found[:SHOWN]]
