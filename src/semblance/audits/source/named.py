"""Columns that name a person outright, and free text that may."""

from __future__ import annotations

from semblance.data.dataset import Dataset
from semblance.evidence import Finding
from semblance.schema import Column


def named(data: Dataset) -> tuple[Finding, Finding]:
    """How many columns of the source are direct identifiers, and how many are free text."""
    direct = [c for c in data.schema if c.role in ("identifier", "subject")]
    text = [c for c in data.schema if c.kind == "text" and c not in direct]
    return (
        _count(
            "source.identifiers.count",
            "How many columns of the source name or number a person directly?",
            direct,
            data.n_subjects,
            "columns whose role in the schema is identifier or subject; never modelled, made afresh or left blank",
        ),
        _count(
            "source.text.count",
            "How many columns of the source hold free text, which may name people?",
            text,
            data.n_subjects,
            "columns whose kind in the schema is text; never modelled",
        ),
    )


def _count(name: str, question: str, columns: list[Column], n: int, method: str) -> Finding:
    value = float(len(columns))
    return Finding(
        name,
        question,
        value=value,
        low=value,
        high=value,
        n=n,
        unit="columns",
        direction="none",
        method=method,
        detail={"columns": [{"name": c.name, "why": c.why.split(";")[0]} for c in columns]},
    )
