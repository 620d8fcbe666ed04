"""Who stands alone in the table, and what groups of look-alikes give away: facts about the table itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.audits.source.views import QUESTIONS, SMALLEST_CELL, THRESHOLD, View, fact
from semblance.data.dataset import Dataset
from semblance.disclosure_risk.lattice import LARGEST, Lattice
from semblance.disclosure_risk.patients import Ints, Patients, alone_in_bands, visible_in_any_row
from semblance.disclosure_risk.secrets import Diversity, diversity
from semblance.evidence import Finding

SIZES = (1, 2, 3, 5, 11, 21, 51, 101, 1001)
"""Where the bins of class sizes begin."""
TOP = 6
BANDS = (100, 20, 5)


def standing(data: Dataset, patients: Patients, lattice: Lattice, views: tuple[View, ...]) -> tuple[Finding, ...]:
    """Uniqueness, k, l, t and the prosecutor's risk."""
    n = patients.n
    return (
        _unique(data, patients, lattice, views),
        _k(views, n),
        *_secrets(data, patients, views),
        _prosecutor(views, n),
    )


def _unique(data: Dataset, patients: Patients, lattice: Lattice, views: tuple[View, ...]) -> Finding:
    n, repeated = patients.n, patients.n < data.n_rows
    one = "one row of each patient, picked without regard to its order" if repeated else "one row a patient"
    return fact(
        "source.unique.share",
        _alone(views[0], n),
        n,
        unit="share",
        baseline=0.0,
        method=f"share of patients whom no other equals in all {len(patients.columns)} quasi-identifiers, at their "
        f"recorded precision, a missing value being a value of its own; {one}; {len(lattice.shares)} smaller sets "
        "searched",
        detail={
            "sets": [{**v.label, "share": _alone(v, n), "classes": _histogram(v.classes.sizes)} for v in views],
            "columns": _columns(patients, lattice),
            "top": [
                {"columns": [patients.columns[i].name for i in chosen], "share": lattice.shares[chosen]}
                for size in range(1, LARGEST + 1)
                for chosen in lattice.of_size(size)[:TOP]
            ],
            "sizes": _sizes(lattice),
            "coarser": [
                {"bands": b, "share": alone_in_bands(patients, b)} for b in BANDS if _bands_matter(patients, b)
            ],
            "searched": len(lattice.shares),
            "left_out": [c.name for i, c in enumerate(patients.columns) if i not in lattice.searched],
            "any_row_share": visible_in_any_row(data, patients.columns) if repeated else None,
        },
    )


def _bands_matter(patients: Patients, bands: int) -> bool:
    """Whether any number or date has more values than that."""
    return any(c.numeric and levels > bands for c, levels in zip(patients.columns, patients.levels, strict=True))


def _alone(view: View, n: int) -> float:
    return float((view.classes.sizes == 1).sum() / n)


def _histogram(sizes: Ints) -> list[dict[str, Any]]:
    """Patients and classes by size of the class; bins that begin beyond the largest class are left out."""
    which = np.searchsorted(SIZES, sizes, "right") - 1
    bins = []
    for i in range(int(which.max(initial=0)) + 1):
        mine = sizes[which == i]
        bins.append(
            {
                "from": SIZES[i],
                "to": SIZES[i + 1] - 1 if i + 1 < len(SIZES) else None,
                "patients_counts": int(mine.sum()),
                "classes_counts": len(mine),
            }
        )
    return bins


def _columns(patients: Patients, lattice: Lattice) -> list[dict[str, Any]]:
    told = []
    for i in lattice.searched:
        gains = lattice.gains(i)
        told.append(
            {
                "name": patients.columns[i].name,
                "levels": int(patients.levels[i]),
                "alone": lattice.shares[(i,)],
                "gain": float(np.mean(gains)),
                "gains": gains,
            }
        )
    return sorted(told, key=lambda column: (-column["gain"], column["name"]))


def _sizes(lattice: Lattice) -> list[dict[str, Any]]:
    spread = []
    for size in range(1, LARGEST + 1):
        shares = [lattice.shares[chosen] for chosen in lattice.of_size(size)]
        if shares:
            median = float(np.median(shares))
            spread.append({"size": size, "lowest": shares[-1], "median": median, "highest": shares[0]})
    return spread


def _k(views: tuple[View, ...], n: int) -> Finding:
    return fact(
        "source.k.minimum",
        float(views[0].classes.sizes.min()),
        n,
        unit="patients",
        direction="higher",
        baseline=float(SMALLEST_CELL),
        method="patients in the smallest class of patients alike in all quasi-identifiers (k-anonymity: Sweeney 2002)",
        detail={
            "sets": [
                {
                    **v.label,
                    "smallest_counts": int(v.classes.sizes.min()),
                    "median_counts": float(np.median(v.classes.size_of_patient)),
                }
                for v in views
            ]
        },
    )


def _secrets(data: Dataset, patients: Patients, views: tuple[View, ...]) -> tuple[Finding, ...]:
    schema = data.schema
    secret = [c for c in schema if c.role == "sensitive" and c.kind != "text" and c.handling != "drop"]
    secret = secret or [c for c in schema if c.role == "target"]
    found = {v.name: [(c.name, diversity(data, patients.rows, c, v.classes.of_patient)) for c in secret] for v in views}
    everything = [d for _, d in found["all"] if len(d.sizes)]
    if not everything:
        why = 'no column is known as a secret; give role = "sensitive" to what would harm, or name a target'
        names = ("source.l.minimum", "source.t.maximum", "source.homogeneous.share")
        return tuple(Finding(name, QUESTIONS[name], status="skipped", why=why) for name in names)
    sets = [{**v.label, "secrets": [_told(name, d) for name, d in found[v.name] if len(d.sizes)]} for v in views]
    detail, n = {"sets": sets}, patients.n
    method = f"{len(everything)} secrets, the worst of them; patients whose secret is missing are left out"
    return (
        fact(
            "source.l.minimum",
            float(min(d.distinct.min() for d in everything)),
            n,
            unit="values",
            direction="higher",
            baseline=2.0,
            method=f"fewest different values of a secret in a class (l-diversity: Machanavajjhala 2007); {method}",
            detail=detail,
        ),
        fact(
            "source.t.maximum",
            float(max(d.closeness.max() for d in everything)),
            n,
            unit="distance",
            baseline=0.0,
            method="largest earth mover's distance of a class from all patients, ordered for numbers and steps, equal "
            f"for labels (t-closeness: Li 2007); {method}",
            detail=detail,
        ),
        fact(
            "source.homogeneous.share",
            max(d.share(d.distinct == 1) for d in everything),
            n,
            unit="share",
            baseline=0.0,
            method=f"share of patients whose class holds one value of the secret, those alone counted; {method}",
            detail=detail,
        ),
    )


def _told(name: str, found: Diversity) -> dict[str, Any]:
    one = found.distinct == 1
    return {
        "name": name,
        "distinct": int(found.distinct.min()),
        "entropy": float(found.entropy.min()),
        "ordered": found.ordered,
        "closeness_maximum": float(found.closeness.max()),
        "closeness_mean": float(np.average(found.closeness, weights=found.sizes)),
        "homogeneous": found.share(one),
        "homogeneous_together": found.share(one & (found.sizes > 1)),
    }


def _prosecutor(views: tuple[View, ...], n: int) -> Finding:
    risks = []
    for view in views:
        sizes = view.classes.sizes
        risks.append(
            {
                **view.label,
                "highest": float(1 / sizes.min()),
                "average": float(len(sizes) / n),
                "above": float(sizes[sizes < SMALLEST_CELL].sum() / n),
            }
        )
    return fact(
        "source.prosecutor.risk",
        risks[0]["highest"],
        n,
        unit="risk",
        baseline=THRESHOLD,
        method="1 / patients of the class, for the patient most at risk; to be compared with .09, a class of 11 (EMA "
        "policy 0070, Health Canada)",
        detail={"sets": risks, "threshold": THRESHOLD},
    )
