"""What was found of several sites, and of shortcuts, in a few lines for a terminal."""

from __future__ import annotations

from semblance.evidence import Evidence, Finding

_WHAT = {
    "shift.domain.auc": "telling the site from everything",
    "shift.columns.share": "columns that differ",
    "shift.mmd.p": "all columns together",
    "shift.label.p": "frequency of the outcome",
    "shift.concept.p": "outcome of like patients",
    "shift.transfer.gap": "against a model from there",
    "shift.transfer.drop": "model carried to another site",
    "shortcut.border.auc": "label from the border alone",
    "shortcut.histogram.auc": "label from brightness alone",
    "shortcut.surround.auc": "label from the surroundings",
    "shortcut.patch.p": "label from any one place",
    "shortcut.mark.p": "label from what is not foretold",
    "shortcut.odd.excess": "images with something odd",
    "shortcut.swap.excess": "verdicts that hang on the place",
}


def in_words(evidence: Evidence) -> list[str]:
    """A line for each finding that was asked of real data, and the reason for each that was not answered."""
    return [f"{_name(f):<34}{_said(f)}" for f in evidence if f.name != "shortcut.amplified.auc"]


def _name(finding: Finding) -> str:
    parts = finding.name.split(".")
    if parts[:2] == ["shortcut", "useful"]:
        return f"label from {parts[2]} alone"
    if parts[:2] == ["shortcut", "readable"]:
        return f"{parts[2]} read off like images"
    return _WHAT.get(finding.name, finding.name)


def _said(finding: Finding) -> str:
    if finding.status != "measured" or finding.value is None:
        return f"{finding.status}: {finding.why}"
    detail = finding.detail
    if finding.unit == "p":
        more = {
            "shift.label.p": lambda: f"; most at odds: {detail['site']}, by {detail['difference']:.3f}",
            "shift.concept.p": lambda: f"; most at odds: {detail['site']}, risk {detail['more']:+.3f}",
        }.get(finding.name, str)()
        return f"p = {finding.value:.3g}{more}"
    interval = "" if finding.low is None or finding.high is None else f" [{finding.low:.3f}, {finding.high:.3f}]"
    return f"{finding.value:.3f}{interval} {finding.unit}{_more(finding)}"


def _more(finding: Finding) -> str:
    detail = finding.detail
    if finding.name == "shift.columns.share":
        return "; most: " + ", ".join(
            f"{c['column']} ({c['site']}, total variation {c['tv']:.2f})" for c in detail["columns"][:3]
        )
    if finding.name.startswith("shift.transfer."):
        worst = detail["pairs"][0] if "pairs" in detail else detail
        return (
            f"; from {worst['learned']} ({worst['at_home']:.3f} at home) to {worst['used']} "
            f"({worst['abroad']:.3f}, where its own reaches {worst['local']:.3f})"
        )
    return ""
