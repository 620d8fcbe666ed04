"""What an audit found about the source, as a page for a terminal: sentences and small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from semblance.evidence import Evidence, Finding

WIDTH = 100
MOST_COLUMNS = 12
TELLING = 0.05
"""Share of patients alone by one column from which it is called by name."""

Rows = Sequence[Sequence[str]]


def in_words(evidence: Evidence) -> str:
    """The page. Counts of patients are those of the evidence, so protect it first."""
    found = {f.name: f for f in evidence}
    unique = found["source.unique.share"]
    sections = [_named(found)]
    if unique.status == "measured":
        sections = [
            _opening(unique),
            _alone(unique),
            _telling(unique),
            _groups(unique),
            _recognised(found),
            _secrets(found["source.l.minimum"]),
            *sections,
            _advice(unique),
        ]
    else:
        sections.insert(0, _lines(f"How exposed patients are was not measured: {unique.why}."))
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def share(value: float) -> str:
    """A share in per cent, never rounded to none or to all.

    >>> share(0.5), share(0.00001), share(0.99999), share(1.0)
    ('50.0 %', '< 0.1 %', '> 99.9 %', '100 %')
    """
    if value in (0.0, 1.0):
        return f"{value:.0%}".replace("%", " %")
    if value < 0.0005 or value >= 0.9995:
        return "< 0.1 %" if value < 0.5 else "> 99.9 %"
    return f"{100 * value:.1f} %"


def _opening(unique: Finding) -> list[str]:
    names = unique.detail["sets"][0]["columns"]
    return _lines(f"{unique.n} patients. What others may know of them: {', '.join(names)}.")


def _alone(unique: Finding) -> list[str]:
    rows = []
    for told in unique.detail["sets"]:
        what = f"all {len(told['columns'])}" if told["name"] == "all" else ", ".join(told["columns"])
        rows.append((what, share(told["share"])))
    banded = unique.detail["coarser"]
    rows += [(f"all, with numbers and dates in {told['bands']} bands", share(told["share"])) for told in banded]
    if (any_row := unique.detail["any_row_share"]) is not None:
        rows.append(("all, in at least one of their rows", share(any_row)))
    lines = ["Patients who are alone in", *_table(rows)]
    if left_out := unique.detail["left_out"]:
        lines += _lines(f"Not searched in small sets, for there were too many: {', '.join(left_out)}.")
    return lines


def _telling(unique: Finding) -> list[str]:
    rows = [("", "values", "alone by it", "it adds")]
    for told in unique.detail["columns"][:MOST_COLUMNS]:
        gain = "none" if told["gain"] == 0 else share(told["gain"])
        rows.append((told["name"], str(told["levels"]), share(told["alone"]), gain))
    return [
        "Which columns point at a person (it adds: to the share alone, on average over sets of up to four)",
        *_table(rows),
    ]


def _groups(unique: Finding) -> list[str]:
    rows = [("patients alike in all", "patients", "groups")]
    for told in unique.detail["sets"][0]["classes"]:
        low, high = told["from"], told["to"]
        size = f"{low} or more" if high is None else f"{low}" if low == high else f"{low} to {high}"
        rows.append((size, _count(told["patients_counts"]), _count(told["classes_counts"])))
    return ["Groups of look-alikes", *_table(rows)]


def _recognised(found: Mapping[str, Finding]) -> list[str]:
    prosecutor, beyond = found["source.prosecutor.risk"].detail, found["source.population_unique.share"]
    own = prosecutor["sets"][0]
    rows = [("by someone who", "at most", "on average", "patients above it"),
            ("knows who is in the table", *map(share, (own["highest"], own["average"], own["above"])))]  # fmt: skip
    everyone: list[dict[str, Any]] = next((s["populations"] for s in beyond.detail["sets"] if s["name"] == "all"), [])
    for told in everyone:
        if told["times"] > 1:
            who = f"must search {told['population']} people"
            rows.append((who, *map(share, (told["journalist"], told["marketer"], told["above"]))))
    lines = [
        f"Risk of being recognised, to be compared with {prosecutor['threshold']:.2f} for public data", *_table(rows)
    ]  # fmt: skip
    if beyond.status != "measured":
        return [*lines, *_lines(f"The population was not judged: {beyond.why}.")]
    alone = [f"{share(told['unique'])} among {told['population']}" for told in everyone if told["times"] > 1]
    if alone:
        lines += _lines(f"Patients of the table alone among everyone, by the model of Pitman: {'; '.join(alone)}.")
    if not beyond.detail["stated"]:
        lines += _lines("The size of the population is not known here: state it with --population.")
    return lines


def _secrets(l_diversity: Finding) -> list[str]:
    if l_diversity.status != "measured":
        return _lines(f"What groups give away was not measured: {l_diversity.why}.")
    rows = [("", "fewest values", "one value in the group", "so, though not alone", "farthest from all")]
    for told in l_diversity.detail["sets"][0]["secrets"]:
        shares = share(told["homogeneous"]), share(told["homogeneous_together"])
        rows.append((told["name"], str(told["distinct"]), *shares, f"{told['closeness_maximum']:.2f}"))
    return ["What groups of look-alikes give away (l-diversity, t-closeness)", *_table(rows)]


def _named(found: Mapping[str, Finding]) -> list[str]:
    lines = []
    for name, what in (("source.identifiers.count", "Named directly by"), ("source.text.count", "Free text in")):
        columns = [c["name"] for c in found[name].detail["columns"]]
        lines += _lines(f"{what}: {', '.join(columns) if columns else 'no column'}.")
    return lines


def _advice(unique: Finding) -> list[str]:
    telling = [c["name"] for c in unique.detail["columns"] if c["alone"] >= TELLING]
    if not telling:
        return []
    return _lines(
        f"Recorded so finely that each alone points at many people: {', '.join(telling)}. Coarser values protect first."
    )


def _count(value: int | None) -> str:
    return "few" if value is None else str(value)


def _table(rows: Rows) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _lines(text: str) -> list[str]:
    return wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
