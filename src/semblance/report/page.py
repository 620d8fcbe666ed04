"""The report: one HTML file that opens offline, prints, and fits a phone; built from evidence and verdict alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from semblance.evidence import Evidence, Finding
from semblance.report import words
from semblance.report.curves import draw_distances, draw_features, draw_membership, draw_missing, draw_utility
from semblance.report.draw import SHADES, SIGNED
from semblance.report.headline import five_numbers
from semblance.report.maps import draw_dependence, draw_map
from semblance.report.marginals import draw_marginals


def render(evidence: Evidence, verdict: Mapping[str, Any]) -> str:
    """The whole page as text. `verdict` is the dict of ``Verdict.to_dict()``.

    Pure: the same arguments give the same bytes. Reads no patient's row, because evidence holds none.
    """
    template = _environment().get_template("report.html")
    may, may_not = words.uses(verdict, evidence)
    return template.render(
        evidence=evidence,
        facts=evidence.provenance,
        verdict=verdict,
        released=verdict.get("decision") == "RELEASE",
        sentence=words.verdict_sentence(verdict),
        guarantee=words.guarantee_sentence(evidence),
        made_of=_made_of(evidence.provenance),
        headlines=five_numbers(evidence, verdict),
        may=may,
        may_not=may_not,
        broken=[r for r in verdict.get("rules") or () if r.get("status") not in ("pass", "not_applicable")],
        families=_families(evidence),
        provenance=list(_flatten(evidence.provenance)),
        attribution=words.attribution(evidence),
        style=_style(),
        **_pictures(evidence),
    )


def _pictures(evidence: Evidence) -> dict[str, Any]:
    panels, n_columns = draw_marginals(evidence.get("fidelity.marginal.score"))
    missing, n_missing = draw_missing(evidence.get("fidelity.missing.score"))
    learned = [_first(evidence, f"utility.{who}.auc", f"utility.{who}.r2") for who in ("tstr", "trtr")]
    return {
        "panels": panels,
        "n_columns": n_columns,
        "missing": missing,
        "n_missing": n_missing,
        "dependence": draw_dependence(evidence.get("fidelity.pair.score")),
        "map": draw_map(evidence.get("fidelity.map.overlap")),
        "features": draw_features(evidence.get("fidelity.c2st.auc")),
        "utility": draw_utility(*learned),
        "learners": _learners(*learned),
        "membership": draw_membership(evidence.get("membership.distance.auc"), evidence.get("membership.density.auc")),
        "distances": draw_distances(evidence.get("copies.nearest.share")),
    }


def _learners(fake: Finding | None, real: Finding | None) -> list[tuple[str, float | None, float | None]]:
    """Each learner with its score from synthetic and from real training patients."""
    scores = [
        {str(x.get("name")): x.get("value") for x in (f.detail.get("learners") or ())} if f else {}
        for f in (fake, real)
    ]
    names = list(dict.fromkeys([*scores[0], *scores[1]]))
    return [(n, scores[0].get(n), scores[1].get(n)) for n in names]


def _families(evidence: Evidence) -> list[tuple[str, list[Finding]]]:
    groups: dict[str, list[Finding]] = {}
    for finding in evidence:
        groups.setdefault(words.family_of(finding.name), []).append(finding)
    return list(groups.items())


def _made_of(facts: Mapping[str, Any]) -> list[str]:
    """One line on where the table came from, of whatever the provenance says."""
    split = facts.get("split") if isinstance(facts.get("split"), Mapping) else {}
    generator = facts.get("generator")
    name = generator.get("name") if isinstance(generator, Mapping) else generator
    parts = [
        (split.get("train_patients"), "patients learned from"),  # type: ignore[union-attr]  # a mapping, seen above
        (split.get("holdout_patients"), "patients held out to judge"),  # type: ignore[union-attr]
        (facts.get("synthetic_rows"), "synthetic rows"),
    ]
    said = [f"{words.thousands(n)} {what}" for n, what in parts if isinstance(n, int)]
    return [*said, *([f"generator “{name}”"] if name else [])]


def _flatten(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as (dotted name, text), in a fixed order."""
    for key in sorted(facts):
        value = facts[key]
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{name}.")
        elif isinstance(value, (list, tuple)):
            yield name, "; ".join(str(v) for v in value) or "–"
        else:
            yield name, "–" if value is None or value == "" else str(value)


def _first(evidence: Evidence, *names: str) -> Finding | None:
    return next((f for n in names if (f := evidence.get(n)) is not None), None)


def _template(name: str) -> str:
    return (resources.files("semblance.report") / "templates" / name).read_text("utf-8")


def _style() -> Markup:
    return Markup(_template("style.css"))  # noqa: S704 - our own file


def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        figure=words.figure,
        title_of=words.title_of,
        in_hundred=words.in_hundred,
        interval=words.interval,
        thousands=words.thousands,
    )
    made.globals.update(STATUSES=words.STATUSES, SHADES=range(len(SHADES)), SIGNED=range(len(SIGNED)))
    return made
