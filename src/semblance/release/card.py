"""The data card: what a recipient must know about a synthetic table, as Markdown that travels with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.report import words

_UNSAFE = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})


def write_card(evidence: Evidence, verdict: Mapping[str, Any], *, synthetic: str | None) -> str:
    """The card as Markdown. `synthetic` is the file name of the table, None when it was refused."""
    may, may_not = words.uses(verdict, evidence)
    lines = [
        "# Data card",
        "",
        f"**{_safe(words.verdict_sentence(verdict))}**",
        "",
        "These are synthetic patients made by Semblance. No row is a record of a real person."
        if synthetic
        else "The synthetic table was not written. This card says why.",
        "",
        *_facts(evidence, verdict, synthetic),
        "",
        *_listed("Intended uses", may),
        *_listed("Uses that are forbidden", may_not),
        *_broken(verdict),
        *_overridden(verdict),
        "## Privacy",
        "",
        words.guarantee_sentence(evidence),
        "",
        *_findings(evidence),
        "Numbers are explained, and drawn, in report.html; evidence.json holds them for machines.",
    ]
    return "\n".join(lines) + "\n"


def _facts(evidence: Evidence, verdict: Mapping[str, Any], synthetic: str | None) -> Iterator[str]:
    facts = evidence.provenance
    generator = facts.get("generator")
    policy = verdict.get("policy") or {}
    rows = {
        "File": synthetic,
        "Rows": facts.get("synthetic_rows"),
        "Source": words.attribution(evidence) or "not stated: ask whoever gave you this folder before passing it on",
        "Target": facts.get("target"),
        "Generator": generator.get("name") if isinstance(generator, Mapping) else generator,
        "Seed": facts.get("seed"),
        "Semblance": facts.get("semblance"),
        "Policy": f"{policy.get('name')} {policy.get('version')} (SHA-256 {policy.get('sha256')})",
    }
    yield from ("| | |", "| --- | --- |")
    yield from (f"| {key} | {_safe(value)} |" for key, value in rows.items() if value is not None)
    notes = facts.get("notes") or ()
    if notes:
        yield ""
        yield from (f"- {_safe(note)}" for note in notes)


def _listed(title: str, items: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {_safe(item)}" for item in items), ""]


def _broken(verdict: Mapping[str, Any]) -> list[str]:
    broken = [r for r in verdict.get("rules") or () if r.get("status") not in ("pass", "not_applicable")]
    if not broken:
        return []
    lines = [
        f"- **{_safe(r['rule'])}** ({words.STATUSES[r['status']]}). {_safe(r['why'])} Try: {_safe(r['try'])}"
        for r in broken
    ]
    return ["## What stands in the way", "", *lines, ""]


def _overridden(verdict: Mapping[str, Any]) -> list[str]:
    lines = [
        f"- **{_safe(o['rule'])}**: {_safe(o['by'])}. {_safe(o['reason'])}" for o in verdict.get("overrides") or ()
    ]
    return ["## Overridden", "", *lines, ""] if lines else []


def _findings(evidence: Evidence) -> Iterator[str]:
    yield from ("## Findings", "", "| Finding | Value | 95 % interval | Baseline | Patients | |")
    yield "| --- | ---: | ---: | ---: | ---: | --- |"
    yield from (_row(f) for f in evidence)
    yield ""


def _row(f: Finding) -> str:
    note = "" if f.status == "measured" else f"{words.STATUSES[f.status]}: {f.why}"
    cells = (words.title_of(f.name), words.figure(f.value), words.interval(f) or "–", words.figure(f.baseline))
    return f"| {' | '.join(_safe(c) for c in cells)} | {f.n or '–'} | {_safe(note)} |"


def _safe(text: object) -> str:
    """Text that Markdown shows as it is, on one line."""
    return " ".join(str(text).split()).translate(_UNSAFE)
