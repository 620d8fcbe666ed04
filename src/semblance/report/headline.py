"""The five numbers of the first screen, each with its interval, its baseline and a word in plain language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.report.language import ENGLISH, Language
from semblance.report.words import in_hundred


@dataclass(frozen=True, slots=True)
class Gauge:
    """A strip from `start` to `end`; every other field is a position on it in percent, None where there is none."""

    start: str
    end: str
    value: float
    low: float | None
    high: float | None
    baseline: float | None
    allowed_from: float | None
    allowed_to: float | None


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the five. `status` is that of the policy's rule on it, empty where no rule reads it."""

    asks: str
    figure: str
    interval: str
    word: str
    sentence: str
    baseline: str
    status: str
    gauge: Gauge | None


def five_numbers(evidence: Evidence, verdict: Mapping[str, Any], say: Language = ENGLISH) -> list[Headline]:
    """Resemblance, told apart, usefulness, copies, membership: in this order, whatever was measured."""
    rules = {str(r.get("finding")): r for r in verdict.get("rules") or ()}
    asked = Asker(evidence, rules, say)
    return [
        asked(
            say("Does it resemble the patients?"),
            _first(evidence, "fidelity.pair.score", "fidelity.marginal.score"),
            (0.8, 1.0),
            _resembles,
        ),
        asked(say("Can a machine tell it apart?"), evidence.get("fidelity.c2st.auc"), (0.4, 1.0), _told_apart),
        asked(say("Is it of use?"), _first(evidence, "utility.gap.auc", "utility.gap.r2"), (-0.15, 0.05), _useful),
        asked(say("Does it lean on its own patients?"), evidence.get("copies.nearest.share"), (0.35, 0.65), _leans),
        asked(say("Can membership be guessed?"), _worst_attack(evidence), (0.35, 0.75), _guessed),
    ]


Speaker = Callable[[Finding, Evidence, Language], tuple[str, str, str]]  # word, sentence, baseline


@dataclass(frozen=True, slots=True)
class Asker:
    """Puts a finding under a question, with the policy's ruling on it."""

    evidence: Evidence
    rules: Mapping[str, Any]
    say: Language

    def __call__(self, asks: str, finding: Finding | None, scale: tuple[float, float], speak: Speaker) -> Headline:
        say = self.say
        rule = self.rules.get(finding.name, {}) if finding else {}
        status = str(rule.get("status", ""))
        if finding is None or finding.status != "measured" or finding.value is None:
            why = say(finding.why if finding else "This was not measured, so nothing is known about it.")
            return Headline(asks, "–", "", _silence(finding, say), why, "", status or "not_run", None)
        word, sentence, baseline = speak(finding, self.evidence, say)
        shown, range_ = say.figure(finding.value), say.interval(finding.low, finding.high)
        return Headline(asks, shown, range_, word, sentence, baseline, status, gauge(finding, rule, scale, say))


def _silence(finding: Finding | None, say: Language) -> str:
    if finding is None:
        return say("not measured")
    return say("too few patients to say") if finding.status == "underpowered" else say("skipped")


def gauge(finding: Finding, rule: Mapping[str, Any], scale: tuple[float, float], say: Language) -> Gauge:
    """The strip of a measured finding: at least as wide as `scale`, wider where its numbers are off it."""
    numbers = [x for x in (finding.value, finding.low, finding.high, finding.baseline) if x is not None]
    start, end = min(scale[0], *numbers), max(scale[1], *numbers)

    def place(x: float | None) -> float | None:
        return None if x is None else round(100 * (min(max(x, start), end) - start) / (end - start), 1)

    limit = place(rule.get("limit"))
    at_least = rule.get("op") == ">="
    return Gauge(
        start=say.figure(start),
        end=say.figure(end),
        value=place(finding.value) or 0.0,
        low=place(finding.low),
        high=place(finding.high),
        baseline=place(finding.baseline),
        allowed_from=None if limit is None else (limit if at_least else 0.0),
        allowed_to=None if limit is None else (100.0 if at_least else limit),
    )


def _resembles(finding: Finding, _: Evidence, say: Language) -> tuple[str, str, str]:
    value, fresh = finding.value or 0.0, finding.baseline
    behind = (fresh if fresh is not None else 1.0) - value
    if behind <= 0.02:
        word = say("very close")
    elif behind <= 0.05:
        word = say("close")
    else:
        word = say("roughly") if behind <= 0.1 else say("not close")
    if "pair" in finding.name:
        sentence = say("Pairs of columns agree with those of held-out patients to {n} in 100.", n=in_hundred(value))
    else:
        sentence = say("Columns agree with those of held-out patients to {n} in 100.", n=in_hundred(value))
    return word, sentence, "" if fresh is None else say("Fresh real patients reach {n}.", n=in_hundred(fresh))


def _told_apart(finding: Finding, _: Evidence, say: Language) -> tuple[str, str, str]:
    value = finding.value or 0.0
    if value < 0.7:
        word = say("hardly") if value < 0.6 else say("sometimes")
    else:
        word = say("often") if value < 0.8 else say("easily")
    sentence = say(
        "Shown one real and one synthetic patient, a machine picks the real one {n} times in 100.", n=in_hundred(value)
    )
    guessing = say("Guessing: 50.")
    if finding.baseline is None:
        return word, sentence, guessing
    against = say("Two sets of real patients: {n}.", n=in_hundred(finding.baseline))
    return word, sentence, say.join(against, guessing)


def _useful(finding: Finding, evidence: Evidence, say: Language) -> tuple[str, str, str]:
    measure = "r2" if finding.name.endswith("r2") else "auc"
    said = say("share of variance explained") if measure == "r2" else "AUC"
    lost = -(finding.value or 0.0)
    if lost <= 0.03:
        word = say("as useful") if lost <= 0.01 else say("nearly as useful")
    else:
        word = say("less useful") if lost <= 0.1 else say("of little use")
    fake, real = (evidence.get(f"utility.{who}.{measure}") for who in ("tstr", "trtr"))
    target = evidence.provenance.get("target") or say("the target")
    if fake is None or real is None or fake.value is None or real.value is None:
        sentence = say(
            "The {measure} lost by learning to predict {name} from synthetic patients.", measure=said, name=target
        )
        return word, sentence, say("No loss: 0.")
    sentence = say(
        "A model of {name} learned from it reaches {measure} {n} on real patients.",
        name=target,
        measure=said,
        n=say.figure(fake.value),
    )
    return word, sentence, say("Learned from real patients: {n}.", n=say.figure(real.value))


def _leans(finding: Finding, _: Evidence, say: Language) -> tuple[str, str, str]:
    value, low = finding.value or 0.0, finding.low
    fair = finding.baseline if finding.baseline is not None else 0.5
    if low is not None and low <= fair:
        word = say("no sign of it")
    else:
        word = say("slightly") if value < 0.55 else say("clearly")
    sentence = say(
        "{n} in 100 synthetic rows lie nearer to a patient they were learned from than to a stranger.",
        n=in_hundred(value),
    )
    return word, sentence, say("A table that copies nobody: {n}.", n=in_hundred(fair))


def _guessed(finding: Finding, _: Evidence, say: Language) -> tuple[str, str, str]:
    value, low = finding.value or 0.0, finding.low
    if low is not None and low <= 0.5:
        word = say("no sign of it")
    elif value < 0.6:
        word = say("a little") if value < 0.55 else say("somewhat")
    else:
        word = say("yes")
    sentence = say(
        "Shown someone from the data and a stranger, the best attack picks right {n} times in 100.",
        n=in_hundred(value),
    )
    return word, sentence, say("Guessing: 50.")


def _first(evidence: Evidence, *names: str) -> Finding | None:
    """The first that was measured; else the first there is."""
    found = [f for n in names if (f := evidence.get(n)) is not None]
    return next((f for f in found if f.status == "measured"), found[0] if found else None)


def _worst_attack(evidence: Evidence) -> Finding | None:
    """The strongest attack on everyone. One that could not speak silences the answer, one that had nothing to attack
    with (a table made elsewhere has no recipe) does not.
    """
    attacks = [f for who in ("distance", "density", "shadow") if (f := evidence.get(f"membership.{who}.auc"))]
    tried = [f for f in attacks if f.status != "skipped"] or attacks
    silent = next((f for f in tried if f.status != "measured"), None)
    return silent or max(tried, key=lambda f: f.high if f.high is not None else (f.value or 0.0), default=None)
