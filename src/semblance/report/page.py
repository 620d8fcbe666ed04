"""The report: one HTML file that opens offline, prints, and fits a phone; built from evidence and verdict alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Environment

from semblance.evidence import Evidence, Finding
from semblance.report import first, words
from semblance.report.asked import asked_of_holdout
from semblance.report.curves import draw_distances, draw_features, draw_membership, draw_missing, draw_utility
from semblance.report.doses import best_sentence, draw_doses
from semblance.report.draw import SHADES, SIGNED
from semblance.report.forest import panels as forest_panels
from semblance.report.headline import five_numbers
from semblance.report.language import Language
from semblance.report.language import language as language_of
from semblance.report.maps import draw_dependence, draw_map
from semblance.report.marginals import draw_marginals
from semblance.report.sheet import environment, style
from semblance.report.source import exposure
from semblance.report.titles import status_of, title_of


def render(evidence: Evidence, verdict: Mapping[str, Any], *, language: str = "en", tier: str = "board") -> str:
    """The whole page as text. `verdict` is the dict of ``Verdict.to_dict()``.

    Pure: the same arguments give the same bytes. Reads no patient's row, because evidence holds none.

    Args:
        language: "en" or "zh".
        tier: Whom the evidence was cut for ("board", "recipient", "public"); it arrives reduced, the page says so.

    Raises:
        InputError: there is no such language or tier.
    """
    return render_in(language_of(language), evidence, verdict, tier=tier)


def render_in(say: Language, evidence: Evidence, verdict: Mapping[str, Any], *, tier: str = "board") -> str:
    """`render`, in a language that the caller holds: what it could not say is then in ``say.missing``."""
    template = _environment(say).get_template("report.html")
    may, may_not = words.uses(verdict, evidence, say)
    return template.render(
        evidence=evidence,
        verdict=verdict,
        tier=first.tier_words(tier, say),
        released=verdict.get("decision") == "RELEASE",
        overruled=bool(first.overruled(verdict)),
        notices=first.notices(evidence, verdict, say),
        sentence=words.verdict_sentence(verdict, say),
        guarantee=words.guarantee_sentence(evidence, say),
        terms=first.terms(evidence, say),
        made_of=_made_of(evidence.provenance, say),
        headlines=five_numbers(evidence, verdict, say),
        may=may,
        may_not=may_not,
        broken=[r for r in verdict.get("rules") or () if r.get("status") not in ("pass", "not_applicable", "withheld")],
        families=_families(evidence, say),
        notes=[say(str(note)) for note in evidence.provenance.get("notes") or ()],
        provenance=list(_facts(evidence, verdict)),
        attribution=words.attribution(evidence),
        exposure=exposure(evidence, say),
        forests=forest_panels(evidence, verdict, say),
        best=best_sentence(evidence, say),
        doses=draw_doses(evidence, say),
        with_shadows=evidence.get("membership.shadow.auc") is not None,
        asked=asked_of_holdout(evidence, say),
        style=style(),
        **_pictures(evidence, say),
    )


def _pictures(evidence: Evidence, say: Language) -> dict[str, Any]:
    panels, n_columns = draw_marginals(evidence.get("fidelity.marginal.score"), say)
    missing, n_missing = draw_missing(evidence.get("fidelity.missing.score"), say)
    learned = [_first(evidence, f"utility.{who}.auc", f"utility.{who}.r2") for who in ("tstr", "trtr")]
    attacks = [evidence.get(f"membership.{attack}.auc") for attack in ("distance", "density", "shadow")]
    return {
        "panels": panels,
        "n_columns": n_columns,
        "missing": missing,
        "n_missing": n_missing,
        "dependence": draw_dependence(evidence.get("fidelity.pair.score"), say),
        "map": draw_map(evidence.get("fidelity.map.overlap"), say),
        "features": draw_features(evidence.get("fidelity.c2st.auc"), say),
        "utility": draw_utility(learned[0], learned[1], say),
        "learners": _learners(*learned),
        "membership": draw_membership(attacks[0], attacks[1], attacks[2], say),
        "distances": draw_distances(evidence.get("copies.nearest.share"), say),
    }


def _learners(fake: Finding | None, real: Finding | None) -> list[tuple[str, float | None, float | None]]:
    """Each learner with its score from synthetic and from real training patients."""
    scores = [
        {str(x.get("name")): x.get("value") for x in (f.detail.get("learners") or ())} if f else {}
        for f in (fake, real)
    ]
    names = list(dict.fromkeys([*scores[0], *scores[1]]))
    return [(n, scores[0].get(n), scores[1].get(n)) for n in names]


def _families(evidence: Evidence, say: Language) -> list[tuple[str, list[Finding]]]:
    groups: dict[str, list[Finding]] = {}
    for finding in evidence:
        groups.setdefault(words.family_of(finding.name, say), []).append(finding)
    return list(groups.items())


def _made_of(facts: Mapping[str, Any], say: Language) -> list[str]:
    """One line on where the table came from, of whatever the provenance says."""
    split: Any = facts.get("split") if isinstance(facts.get("split"), Mapping) else {}
    generator = facts.get("generator")
    name = generator.get("name") if isinstance(generator, Mapping) else generator
    train, held, rows = split.get("train_patients"), split.get("holdout_patients"), facts.get("synthetic_rows")
    said = []
    if isinstance(train, int):
        said.append(say("{n} patients learned from", n=say.thousands(train)))
    if isinstance(held, int):
        said.append(say("{n} patients held out to judge", n=say.thousands(held)))
    if isinstance(rows, int):
        said.append(say("{n} synthetic rows", n=say.thousands(rows)))
    return [*said, *([say("generator “{name}”", name=name)] if name else [])]


def _facts(evidence: Evidence, verdict: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Provenance and policy under their own names, but for what the page says in words."""
    said = {"notes", "policy", "terms"}
    yield from (
        f for f in _flatten({k: v for k, v in evidence.provenance.items() if k not in said}) if "attrib" not in f[0]
    )
    yield from _flatten(verdict.get("policy") or {}, "policy.")


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


def _environment(say: Language) -> Environment:
    made = environment("report")
    made.filters.update(
        figure=say.figure,
        title_of=lambda name: title_of(name, say),
        status_of=lambda status: status_of(status, say),
        in_hundred=words.in_hundred,
        interval=lambda finding: say.interval(finding.low, finding.high),
        thousands=say.thousands,
        percent=say.percent,
        join_sentences=lambda said: say.join(*said),
        asked_of=lambda rule: _asked(rule, say),
    )
    made.globals.update(say=say, SHADES=range(len(SHADES)), SIGNED=range(len(SIGNED)))
    return made


def _asked(rule: Mapping[str, Any], say: Language) -> str:
    """What a rule of the policy asks, in a few words."""
    sign, limit = {">=": "≥", "<=": "≤"}.get(str(rule.get("op")), ""), say.figure(rule.get("limit"))
    if rule.get("reads") == "low":
        return say("starts at {sign} {limit}", sign=sign, limit=limit)
    if rule.get("reads") == "high":
        return say("ends at {sign} {limit}", sign=sign, limit=limit)
    return f"{sign} {limit}"
