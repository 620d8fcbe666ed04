"""Evidence of many kinds, in the shapes that audits write, without any patient behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from semblance.evidence import Evidence, Finding
from semblance.release.disclosure import protect

SUPPORT = {
    "age": "years",
    "sex": "",
    "dzgroup": "",
    "num_co": "",
    "edu": "years",
    "income": "",
    "scoma": "",
    "charges": "US$",
    "race": "",
    "meanbp": "mmHg",
    "wblc": "10⁹/l",
    "hrt": "1/min",
    "resp": "1/min",
    "temp": "°C",
    "pafi": "",
    "alb": "g/dl",
    "bili": "mg/dl",
    "crea": "mg/dl",
    "sod": "mmol/l",
    "ph": "",
    "glucose": "mg/dl",
    "bun": "mg/dl",
    "urine": "ml",
    "adlp": "",
    "adls": "",
    "hospdead": "",
    "slos": "days",
    "d_time": "days",
    "death": "",
    "diabetes": "",
    "dementia": "",
    "ca": "",
    "dnr": "",
}
LABELS = {
    "sex": ["male", "female"],
    "race": ["white", "black", "hispanic", "asian", "(other)", "(missing)"],
    "dzgroup": ["ARF/MOSF w/Sepsis", "CHF", "COPD", "Lung Cancer", "MOSF w/Malig", "Coma", "Colon Cancer", "Cirrhosis"],
    "hospdead": ["0", "1"],
    "income": ["under $11k", "$11-$25k", "$25-$50k", ">$50k", "(missing)"],
}


def columns_of(names: list[str], rng: np.random.Generator, *, n: int, off: float) -> list[dict[str, Any]]:
    """Marginals as ``audits/fidelity.py`` writes them."""
    out = []
    for i, name in enumerate(names):
        labels = LABELS.get(name)
        k = len(labels) if labels else 12 + (i % 3 == 0)
        p = rng.dirichlet(np.full(k, 2.0)) if labels else np.exp(-(((np.arange(k) - k / 2) / 3) ** 2)) + 0.02
        p = p / p.sum()
        q = p * np.exp(off * rng.normal(size=k))
        q = q / q.sum()
        column: dict[str, Any] = {
            "name": name,
            "kind": "category" if labels else "number",
            "unit": SUPPORT.get(name, ""),
        }
        if labels:
            column["labels"] = labels
        elif name == "d_time":
            column["edges"] = [f"20{10 + j}-01-01" for j in range(11)]
        else:
            column["edges"] = [round(20 + 5.5 * j * 10 ** (i % 4 - 1), 2) for j in range(11)]
        d = float(np.abs(p - q).sum() / 2)
        column |= {
            "holdout_counts": rng.multinomial(n, p).tolist(),
            "synthetic_counts": rng.multinomial(n, q).tolist(),
            "distance": d,
            "floor": 0.012,
            "excess_low": d - 0.02,
            "excess_high": d + 0.01,
        }
        out.append(column)
    return out


def association(k: int, rng: np.random.Generator, off: float) -> tuple[list[list[float]], list[list[float]]]:
    loads = rng.normal(size=(k, 4)) * 0.7
    real = np.clip(np.abs(loads @ loads.T) / 2.5, 0, 1)
    fake = np.clip(real + off * rng.normal(size=(k, k)), 0, 1)
    fake = (fake + fake.T) / 2
    for m in (real, fake):
        np.fill_diagonal(m, 1.0)
    return real.round(3).tolist(), fake.round(3).tolist()


def curve(strength: float) -> dict[str, list[float]]:
    fpr = np.linspace(0, 1, 101)
    return {"fpr": fpr.round(2).tolist(), "tpr": (fpr ** (1 / strength)).round(4).tolist()}


def log_curve(lift: float, n: int) -> dict[str, list[float]]:
    fpr = np.geomspace(11 / n, 1, 40)
    return {"fpr": fpr.tolist(), "tpr": np.minimum(1, fpr ** (1 - lift)).tolist()}


def make(  # one long list, as an audit would give it
    *,
    names: list[str] | None = None,
    off: float = 0.12,
    leak: float = 0.0,
    task: str | None = "auc",
    n: int = 2731,
    seed: int = 1,
    details: bool = True,
    underpowered: bool = False,
    target: str = "hospdead",
) -> Evidence:
    names = list(SUPPORT) if names is None else names
    rng = np.random.default_rng(seed)
    half = 1.0 / np.sqrt(n)
    real, fake = association(len(names), rng, off / 3)
    cloud = np.exp(-((np.arange(24)[:, None] - 9) ** 2 / 30 + (np.arange(24)[None, :] - 13) ** 2 / 40))
    grids = [rng.poisson(np.roll(cloud, s, 0) * n / cloud.sum()).tolist() for s in (0, int(off * 6))]
    found: list[Finding] = []

    def add(name: str, value: float, spread: float, baseline: float | None = None, **more: Any) -> None:
        detail = more.pop("detail", {})
        detail = detail if details else {}
        extra = {
            "question": f"What does {name} say about the synthetic patients?",
            "method": "Patient bootstrap, 200 draws.",
            "unit": name.rsplit(".", 1)[-1],
            "n": n,
            **more,
        }
        low, high = (None, None) if spread == 0 else (value - spread, value + spread)
        found.append(Finding(name, value=value, low=low, high=high, baseline=baseline, detail=detail, **extra))

    add("validity.rows.share", 1.0, 0.0, 1.0, detail={"columns": []})
    add("validity.columns.match", 1.0, 0.0, 1.0)
    add(
        "fidelity.marginal.score",
        0.985 - off / 10,
        half / 5,
        0.985,
        detail={"columns": columns_of(names, rng, n=n, off=off)},
    )
    add(
        "fidelity.pair.score",
        0.975 - off / 5,
        half / 5,
        0.978,
        detail={"names": names, "holdout": real, "synthetic": fake},
    )
    add("fidelity.triple.score", 0.95 - off / 4, half / 4, 0.957)
    top = [{"name": x, "share": s} for x, s in zip(names, np.geomspace(0.3, 0.01, min(15, len(names))), strict=False)]
    add("fidelity.c2st.auc", min(0.99, 0.5 + off * 0.7), half, 0.501, detail={"features": top})
    gaps = [
        {"name": x, "holdout": round(h, 3), "synthetic": round(min(1, abs(h + off * 0.1 * rng.normal())), 3)}
        for x, h in zip(names, rng.beta(0.4, 2, len(names)), strict=True)
    ]
    add("fidelity.missing.score", 0.99 - off / 20, half / 4, 0.99, detail={"columns": gaps})
    add(
        "fidelity.map.overlap",
        0.95 - off / 4,
        half / 3,
        0.96,
        detail={
            "x_edges": list(range(25)),
            "y_edges": list(range(25)),
            "holdout_counts": grids[0],
            "synthetic_counts": grids[1],
            "axes": ["first principal direction", "second principal direction"],
        },
    )
    if task is None:
        found.append(
            Finding("utility.gap.auc", "Is it of use?", status="skipped", why="The table has no target column.")
        )
    else:
        learners = [
            {"name": x, "value": 0.85 - off / 6 - j / 100}
            for j, x in enumerate(("logistic regression", "boosted trees", "forest"))
        ]
        roc = {} if task == "r2" else {"roc": curve(5.6 - off * 3)}
        add(f"utility.tstr.{task}", 0.85 - off / 6, half, 0.86, detail={"learners": learners, **roc})
        roc = {} if task == "r2" else {"roc": curve(6.1)}
        add(
            f"utility.trtr.{task}",
            0.86,
            half,
            None,
            detail={"learners": [{**x, "value": 0.86} for x in learners], **roc},
        )
        add(f"utility.gap.{task}", -0.01 - off / 6, half / 2, 0.0)
    add("copies.exact.excess", leak * 0.5, half / 40, 0.0)
    add("copies.near.excess", leak * 0.8 + 0.001, half / 4, 0.0)
    far = np.exp(-(((np.arange(14) - 6) / 3) ** 2))
    near = far + leak * 8 * np.exp(-np.arange(14) * 2.0)
    add(
        "copies.nearest.share",
        0.503 + leak / 2,
        half,
        0.5,
        detail={
            "edges": [round(0.05 * (j + 1), 2) for j in range(13)],
            "train_counts": (near * 300).astype(int).tolist(),
            "holdout_counts": (far * 300).astype(int).tolist(),
        },
    )
    add("copies.nearest.p", 0.41 if leak < 0.02 else 1e-3, 0.0009)
    add("copies.tail.p", 0.37 if leak < 0.02 else 1e-3, 0.0009)
    for attack, lift in (("distance", 0.01 + leak), ("density", 0.015 + leak * 1.4)):
        add(f"membership.{attack}.auc", 0.5 + lift / 2, half, 0.5, detail={"roc": log_curve(lift, n)})
        add(f"membership.{attack}.tpr_at_fpr_1pct", 0.01 + lift / 8, half / 2, 0.01)
    if underpowered:
        found = [
            f if f.name not in SMALL else Finding(f.name, f.question, n=n, status="underpowered", why=WHY)
            for f in found
        ]
    provenance = {
        "semblance": "0.1.0",
        "python": "3.11.9",
        "seed": 7,
        "quick": False,
        "libraries": {"numpy": "2.4", "lightgbm": "4.7"},
        "target": None if task is None else target,
        "recipe": "chain",
        "synthetic_rows": 6374,
        "generator": {"name": "chain", "parameters": {"trees": 80, "leaves": 15}},
        "split": {"train_patients": 6374, "holdout_patients": n, "holdout_opened_for": ["audit"]},
        "source": {"fingerprint": "9f" * 32, "attribution": "SUPPORT investigators; UCI repository 880; CC BY 4.0"},
        "notes": ["Column patient_id: replaced by freshly made surrogates and never learned."],
    }
    ledger = {
        "cohort": "9f" * 32,
        "unit": "patient",
        "guarantee": "no formal guarantee (ε = ∞)",
        "charges": [{"purpose": "fit/chain", "mechanism": "none", "epsilon": None, "delta": None}],
    }
    return protect(Evidence(tuple(found), ledger, provenance))


WHY = "An upper bound of 5 % needs at least 300 patients on each side; there are 84."
SMALL = {
    "membership.distance.tpr_at_fpr_1pct",
    "membership.density.tpr_at_fpr_1pct",
    "copies.tail.p",
    "fidelity.c2st.auc",
}
HOSTILE = [
    "<script>alert(1)</script>",
    "a" * 180,
    "年龄（岁）",
    "cost $x^2$ & more",
    "new\nline\ttab",
    "\x00\x1b[31m",
    "‮evil",
    " ",
]

CASES: dict[str, Callable[[], Evidence]] = {
    "released": make,
    "refused": lambda: make(off=0.6, leak=0.12),
    "underpowered": lambda: make(n=84, underpowered=True),
    "no_target": lambda: make(task=None),
    "multiclass": lambda: make(target="dzgroup", seed=2),
    "regression": lambda: make(task="r2"),
    "one_column": lambda: make(names=["age"], task=None),
    "many_columns": lambda: make(names=[f"laboratory_value_{i:03d}" for i in range(120)]),
    "hostile": lambda: make(names=HOSTILE),
    "no_details": lambda: make(details=False),
    "nothing": lambda: Evidence(()),
}


@pytest.fixture(scope="session", params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, Evidence]:
    """Each kind of evidence in turn, by name."""
    return request.param, CASES[request.param]()


@pytest.fixture
def evidence_of() -> Callable[..., Evidence]:
    return make
