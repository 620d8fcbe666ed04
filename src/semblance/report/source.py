"""Why removing names was never enough: how exposed the real patients are, before anything is synthesised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.report.draw import plain
from semblance.report.headline import Gauge
from semblance.report.language import Language
from semblance.report.words import in_hundred

MOST_BARS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of `width` percent with words before and a number after it. `strong` marks what is worst."""

    label: str
    width: float
    shown: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Intruder:
    """Someone who tries to recognise a patient: what that person knows, and how surely it succeeds."""

    name: str
    knows: str
    risk: str
    interval: str
    above: bool
    gauge: Gauge


@dataclass(frozen=True, slots=True)
class Exposure:
    """Everything the page shows. A tuple is empty, and a sentence "", where its finding or detail is not there.

    Attributes:
        answer: The first sentence. facts: Further ones.
        steps: Patients alone by the most telling set of each size. columns: What each column adds.
        classes: Patients by how many look like them.
        crowd: Rows of population in words, share alone in it, chance that a match is right.
    """

    answer: str
    facts: tuple[str, ...]
    steps: tuple[Bar, ...]
    columns: tuple[Bar, ...]
    classes: tuple[Bar, ...]
    intruders: tuple[Intruder, ...]
    crowd: tuple[tuple[str, str, str], ...]
    absent: str


def exposure(evidence: Evidence, say: Language) -> Exposure:
    """Of whatever the source.* findings hold; every part may be missing."""
    unique = evidence.get("source.unique.share")
    detail: Mapping[str, Any] = unique.detail if unique else {}
    answer, absent = "", ""
    if unique is None:
        absent = say("How exposed the real patients are was not measured.")
    elif unique.value is None:
        absent = say(unique.why)
    else:
        answer = _answer(unique.value, _columns_of(detail), say)
    return Exposure(
        answer=answer,
        facts=tuple(_facts(evidence, say)),
        steps=tuple(_steps(detail, say)),
        columns=tuple(_gains(detail, say)),
        classes=tuple(_classes(detail, say)),
        intruders=tuple(_intruders(evidence, say)),
        crowd=tuple(_crowd(evidence.get("source.population_unique.share"), say)),
        absent=absent,
    )


def _answer(share: float, columns: list[str], say: Language) -> str:
    if columns:
        return say(
            "With every name removed, {n} in 100 real patients are still the only one with their {names}.",
            n=in_hundred(share),
            names=_listed(columns, say),
        )
    return say(
        "With every name removed, {n} in 100 real patients are still alone in what others may know of them.",
        n=in_hundred(share),
    )


def _columns_of(detail: Mapping[str, Any]) -> list[str]:
    sets = detail.get("sets") or ()
    return [str(c) for c in sets[0].get("columns") or ()] if sets else []


def _listed(columns: list[str], say: Language) -> str:
    shown = [plain(c, longest=30) for c in columns[:MOST_BARS]]
    named = say.listed(*shown)
    return named if len(columns) <= MOST_BARS else say("{names} and {n} more", names=named, n=len(columns) - MOST_BARS)


def _steps(detail: Mapping[str, Any], say: Language) -> Iterator[Bar]:
    """The most revealing set of each size: one known thing, two, three, four."""
    best: dict[int, Mapping[str, Any]] = {}
    for chosen in detail.get("top") or ():
        best.setdefault(len(chosen.get("columns") or ()), chosen)
    for size in sorted(best):
        share = float(best[size].get("share") or 0.0)
        names = " + ".join(plain(c, longest=24) for c in best[size].get("columns") or ())
        yield Bar(names, _width(share), say.percent(share), strong=share >= 0.5)


def _gains(detail: Mapping[str, Any], say: Language) -> Iterator[Bar]:
    columns = [c for c in detail.get("columns") or () if c.get("gain") is not None]
    for column in sorted(columns, key=lambda c: -float(c["gain"]))[:MOST_BARS]:
        gain = max(0.0, float(column["gain"]))
        yield Bar(plain(column.get("name"), longest=30), _width(gain), say.percent(gain))


def _classes(detail: Mapping[str, Any], say: Language) -> Iterator[Bar]:
    """Shares of patients by the size of the group that looks like them; small counts arrive blanked."""
    sets = detail.get("sets") or ()
    bins = (sets[0].get("classes") or ()) if sets else ()
    total = sum(float(b["patients_counts"]) for b in bins if b.get("patients_counts") is not None) or 1.0
    for part in bins:
        first, last, count = part.get("from"), part.get("to"), part.get("patients_counts")
        if last is None:
            label = say("{n} or more alike", n=first)
        elif first == last:
            label = say("alone") if first == 1 else say("{n} alike", n=first)
        else:
            label = say("{n} to {m} alike", n=first, m=last)
        if count is None:
            yield Bar(label, 0.0, say("fewer than 11"))
        else:
            yield Bar(label, _width(float(count) / total), say.percent(float(count) / total), strong=first == 1)


def _intruders(evidence: Evidence, say: Language) -> Iterator[Intruder]:
    who = (
        (
            "source.prosecutor.risk",
            say("Prosecutor"),
            say("knows that one certain person is in the table; chance of recognising the patient most at risk"),
        ),
        (
            "source.journalist.risk",
            say("Journalist"),
            say("wants to expose anyone and does not know who is in the table; the patient most at risk"),
        ),
        (
            "source.marketer.risk",
            say("Marketer"),
            say("matches the whole table with a list of people; share of patients recognised"),
        ),
    )
    for name, title, knows in who:
        found = evidence.get(name)
        if found is not None and found.value is not None:
            yield _intruder(found, title, knows, say)


def _intruder(found: Finding, title: str, knows: str, say: Language) -> Intruder:
    threshold = float(found.detail.get("threshold") or found.baseline or 1 / 11)
    value = found.value or 0.0
    same = found.low == found.high
    return Intruder(
        title,
        knows,
        say.figure(value),
        "" if same else say.interval(found.low, found.high),
        above=value > threshold * (1 + 1e-9),
        gauge=Gauge(
            start="0",
            end="1",
            value=_width(value),
            low=None if same or found.low is None else _width(found.low),
            high=None if same or found.high is None else _width(found.high),
            baseline=None,
            allowed_from=0.0,
            allowed_to=_width(threshold),
        ),
    )


def _crowd(found: Finding | None, say: Language) -> Iterator[tuple[str, str, str]]:
    sets = (found.detail.get("sets") or ()) if found else ()
    for row in (sets[0].get("populations") or ()) if sets else ():
        times, population, match = row.get("times"), row.get("population"), row.get("match")
        if times is None or population is None or row.get("unique") is None:
            continue
        if times == 1:
            where = say("the table itself: {n} people", n=say.thousands(round(population)))
        else:
            where = say("{times} times as many: {n} people", times=f"{times:.3g}", n=say.thousands(round(population)))
        yield where, say.percent(float(row["unique"])), "–" if match is None else say.percent(float(match))


def _facts(evidence: Evidence, say: Language) -> Iterator[str]:
    def value_of(name: str) -> float | None:
        found = evidence.get(name)
        return found.value if found is not None else None

    k, same = value_of("source.k.minimum"), value_of("source.homogeneous.share")
    named, text = value_of("source.identifiers.count"), value_of("source.text.count")
    if k is not None:
        yield say("The smallest group of patients who look alike has size {n} (k-anonymity).", n=f"{k:.0f}")
    if same is not None:
        yield say(
            "{n} in 100 patients have the same secret as everyone who looks like them, so that who finds the group "
            "knows the secret.",
            n=in_hundred(same),
        )
    if named is not None:
        yield say("Columns that name or number a person directly: {n}. They are never learned.", n=f"{named:.0f}")
    if text is not None:
        yield say("Columns of free text, which may name people: {n}. They are never learned.", n=f"{text:.0f}")


def _width(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 1)
