"""What the attacks found, as rows on a shared scale: estimate, interval, what guessing gives, what the policy allows.

Everything is said per hundred: extra hits per hundred attacks, right picks in a hundred pairs, members found of a
hundred.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.report.headline import Gauge
from semblance.report.language import Language
from semblance.report.titles import title_of

MOST_COLUMNS = 8
MOST_GROUPS = 12
_ORDER = ("copies", "singling_out", "linkage", "inference", "reconstruction")


@dataclass(frozen=True, slots=True)
class Row:
    """One finding. `status` is the policy's ruling on it, or the finding's own state where no rule reads it."""

    title: str
    value: str
    interval: str
    beside: str
    status: str
    gauge: Gauge | None


@dataclass(frozen=True, slots=True)
class Groups:
    """Every subgroup that an attack looked at; the worst are drawn."""

    title: str
    n: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows on one scale from `start` to `end`. `absent` says in words what was not measured, and why."""

    key: str
    title: str
    lead: str
    column: str
    start: str
    end: str
    rows: tuple[Row, ...]
    groups: tuple[Groups, ...]
    absent: tuple[tuple[str, str], ...]
    left_out: int = 0


def panels(evidence: Evidence, verdict: Mapping[str, Any], say: Language) -> list[Panel]:
    """The panels that have anything to show, in reading order."""
    rules = {str(r.get("finding")): r for r in verdict.get("rules") or ()}
    gains, left_out = _gains(evidence)
    made = [
        _panel(
            "extra",
            say("Right more often about patients in the data"),
            say(
                "Each attack was tried on patients the table was made from and, as a control, on patients it never "
                "saw. What it gains among the former is what the table gave away: zero is none."
            ),
            say("Extra hits per 100 attacks"),
            gains,
            rules,
            say,
        ),
        _panel(
            "pairs",
            say("Telling who was in the data"),
            say(
                "Shown one patient from the data and one stranger, how often is the attack right? 50 in 100 is "
                "guessing."
            ),
            say("Right picks per 100 pairs"),
            [f for f in evidence if f.name.startswith("membership.") and f.name.endswith(".auc")],
            rules,
            say,
        ),
        _panel(
            "found",
            say("The exposed few"),
            say(
                "An average hides those who stand out. Of a hundred patients in the data, how many does the attack "
                "find when it may accuse only so many of a hundred strangers?"
            ),
            say("Found of 100 patients"),
            [f for f in evidence if f.name.startswith("membership.") and ".tpr_at_fpr_" in f.name],
            rules,
            say,
        ),
    ]
    made[0] = replace(made[0], left_out=left_out)
    return [panel for panel in made if panel.rows or panel.absent]


def _gains(evidence: Evidence) -> tuple[list[Finding], int]:
    """Attack by attack, and how many single columns are left out: only the most exposed are drawn."""
    found = [f for f in evidence if f.name.endswith((".advantage", ".excess")) and f.name.split(".")[0] in _ORDER]
    named = ("inference.worst", "inference.outliers", "inference.groups")
    single = [f for f in found if f.name.startswith("inference.") and not f.name.startswith(named)]
    exposed = sorted(single, key=lambda f: (f.value is None, -(f.high or f.value or 0.0)))
    hidden = {f.name for f in exposed[MOST_COLUMNS:]}
    kept = [f for f in found if f.name not in hidden]
    return sorted(kept, key=lambda f: _ORDER.index(f.name.split(".")[0])), len(hidden)


def _panel(
    key: str,
    title: str,
    lead: str,
    column: str,
    found: Sequence[Finding],
    rules: Mapping[str, Mapping[str, Any]],
    say: Language,
) -> Panel:
    shown = [f for f in found if f.value is not None]
    absent = tuple((title_of(f.name, say), say(f.why)) for f in found if f.value is None)
    start, end = _scale(shown, rules)
    rows = tuple(_row(f, rules.get(f.name, {}), start, end, say) for f in shown)
    groups = tuple(g for f in shown if (g := _groups(f, rules.get(f.name, {}), start, end, say)) is not None)
    return Panel(key, title, lead, column, _hundred(start), _hundred(end), rows, groups, absent)


def _scale(found: Sequence[Finding], rules: Mapping[str, Mapping[str, Any]]) -> tuple[float, float]:
    """Round ends that hold every number on the rows."""
    numbers = [x for f in found for x in (f.value, f.low, f.high, f.baseline, rules.get(f.name, {}).get("limit"))]
    known = [float(x) for x in numbers if x is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    fine = (high - low or 0.01) / 8
    power = 10.0 ** math.floor(math.log10(fine))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= fine * (1 - 1e-9))
    return math.floor(round(low / step, 6)) * step, math.ceil(round(high / step, 6)) * step


def _row(f: Finding, rule: Mapping[str, Any], start: float, end: float, say: Language) -> Row:
    status = str(rule.get("status") or ("" if f.status == "measured" else f.status))
    gauge = _gauge(f.value, f.low, f.high, f.baseline, rule, start, end)
    return Row(title_of(f.name, say), _hundred(f.value), _range(f.low, f.high, say), _beside(f, say), status, gauge)


def _beside(f: Finding, say: Language) -> str:
    """The rates behind a difference (own patients, strangers, guessing without the table); a simpler table's score."""
    members, others, naive = (f.detail.get(k) for k in ("members", "others", "naive"))
    said = []
    if f.status != "measured":
        said.append(say(f.why))
    if isinstance(members, float) and isinstance(others, float):
        slots = {"members": _hundred(members), "others": _hundred(others)}
        if isinstance(naive, float):
            slots["naive"] = _hundred(naive)
            said.append(
                say(
                    "Hits per 100: {members} among patients in the data, {others} among strangers, {naive} by guessing "
                    "without the table.",
                    **slots,
                )
            )
            if naive >= members > 0:
                said.append(say("Guessing without the table does as well."))
        else:
            said.append(say("Hits per 100: {members} among patients in the data, {others} among strangers.", **slots))
    if isinstance(single := f.detail.get("single_columns"), float):
        said.append(say("A table that knows single columns only: {x}.", x=_hundred(single)))
    return say.join(*said)


def _groups(f: Finding, rule: Mapping[str, Any], start: float, end: float, say: Language) -> Groups | None:
    """The subgroups of a finding, worst first; None where there are not two of them."""
    told = [g for g in f.detail.get("groups") or () if isinstance(g, Mapping) and g.get("value") is not None]
    if len(told) < 2:
        return None
    worst = sorted(told, key=lambda g: -float(g.get("high") or g["value"]))[:MOST_GROUPS]
    rows = tuple(
        Row(
            group_of(str(g.get("name")), say),
            _hundred(g["value"]),
            _range(g.get("low"), g.get("high"), say),
            "",
            "",
            _gauge(g["value"], g.get("low"), g.get("high"), f.baseline, rule, start, end),
        )
        for g in worst
    )
    return Groups(title_of(f.name, say), len(told), rows)


def _gauge(
    value: float | None,
    low: float | None,
    high: float | None,
    baseline: float | None,
    rule: Mapping[str, Any],
    start: float,
    end: float,
) -> Gauge:
    def place(x: float | None) -> float | None:
        return None if x is None else round(100 * (min(max(float(x), start), end) - start) / (end - start), 1)

    limit, at_least = place(rule.get("limit")), rule.get("op") == ">="
    return Gauge(
        start="",
        end="",
        value=place(value) or 0.0,
        low=place(low),
        high=place(high),
        baseline=place(baseline),
        allowed_from=None if limit is None else limit if at_least else 0.0,
        allowed_to=None if limit is None else 100.0 if at_least else limit,
    )


def _hundred(x: float | None) -> str:
    """0.0123 becomes "1.2": per hundred, one decimal, two below a tenth."""
    if x is None:
        return "–"
    hundred = 100 * x
    decimals = 2 if 0 < abs(hundred) < 0.095 else 1
    text = f"{hundred:.{decimals}f}"
    return text.removesuffix(".0").replace("-", "−").replace("−0.00", "0") if hundred else "0"


def _range(low: float | None, high: float | None, say: Language) -> str:
    return "" if low is None or high is None else say("{low} to {high}", low=_hundred(low), high=_hundred(high))


def group_of(name: str, say: Language) -> str:
    """A subgroup as ``attacks/targets.py`` names it: "sex = female", "age in quarter 4"."""
    column, inside, quarter = name.rpartition(" in quarter ")
    if inside and quarter.isdigit():
        return say("{name} in quarter {n}", name=column, n=quarter)
    return f"{name.removesuffix(' = missing')} = {say('missing')}" if name.endswith(" = missing") else name
