"""Values that one patient alone has, and that reappear in the synthetic table: a rare diagnosis, an exact amount."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from semblance import stats
from semblance.attacks.advantage import Tally, advantage, one_sided_p
from semblance.attacks.own import Held, Ints, Mask, Scanned, everyone, scan, tally, telling, union
from semblance.contracts import Comparison, Run
from semblance.data.encode import labels, numbers
from semblance.evidence import Finding
from semblance.schema import Column

NAME = "copies.rare.excess"
QUESTION = "Do values that one patient alone has come up again more often for training patients than for held-out ones?"
SHOWN = 10
TOGETHER = ""
"""No column: those that are judged together."""
BLUR, Z = 0.01, 1.96
"""Half width, at most, of the interval that chance alone gives a column judged by itself; of 95 %."""


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
    alone = _sharp(scanned, used, trained, apart)
    parts = {TOGETHER: union([s.hit for s in used], n_patients), **{s.name: s.hit for s in alone}}
    naive = {TOGETHER: union([s.naive for s in used], n_patients), **{s.name: s.naive for s in alone}}
    tallies = {name: tally(hit, trained) for name, hit in parts.items()}
    listed = _listed(tallies)
    top = max(listed, key=lambda part: part["low"])
    members, others = tallies[top["name"]]
    found = advantage(
        NAME,
        QUESTION,
        members=members,
        others=others,
        naive=tally(naive[top["name"]], trained & ~apart)[0],
        method="a patient counts once who has a value that nobody else has, training and held-out patients together, "
        f"and that comes up in the synthetic table; {len(used)} of {len(columns)} columns, those in which it would "
        f"hardly come up among other real patients, and {len(alone)} more, each by itself; the lower bound "
        "Bonferroni's over these, the upper bound the largest of theirs",
        detail={
            "few": _difference(union([s.few for s in used], n_patients), trained),
            "columns": _worst([*used, *alone], trained),
            "alone": [part for part in listed if part["name"] != TOGETHER],
            "left_out": sorted({c.name for c in columns} - {s.name for s in (*used, *alone)}),
            "queries": int(others.n),
        },
    )
    low, high = max(part["low"] for part in listed), max(part["high"] for part in listed)
    p = min(1.0, min(one_sided_p(*both) for both in tallies.values()) * len(tallies))
    return replace(found, low=low, high=high, detail={**found.detail, "p": p})


def _sharp(scanned: Sequence[Scanned], used: Sequence[Scanned], trained: Mask, apart: Mask) -> list[Scanned]:
    """Columns in which values come up by chance too often to be judged together with the others, and yet so seldom
    that chance blurs a column judged by itself by no more than `BLUR`. To leave these out would let exact amounts
    pass, which are the most telling of all.
    """
    names, asked = {s.name for s in used}, max(1, int((~apart).sum()))
    members, others = max(1, int(trained.sum())), max(1, int((~trained).sum()))

    def blur(rate: float) -> float:
        return Z * math.sqrt(rate * (1 - rate) * (1 / members + 1 / others))

    return [s for s in scanned if s.name not in names and blur(float(s.naive.sum()) / asked) <= BLUR]


def _listed(tallies: Mapping[str, tuple[Tally, Tally]]) -> list[dict[str, Any]]:
    """Lower bounds that hold together (Bonferroni), and upper bounds of each by itself: whichever truly leaks most lies
    below its own as often as stated (Berger 1982).
    """
    listed = []
    for name, (a, b) in tallies.items():
        own = stats.newcombe(a.hits, a.n, b.hits, b.n)
        low = stats.newcombe(a.hits, a.n, b.hits, b.n, confidence=1 - 0.05 / len(tallies)).low
        listed.append({"name": name, "value": own.value, "low": low, "high": own.high})
    return listed


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
