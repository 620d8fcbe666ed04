"""What is found of several sites, as findings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.contracts import Run
from semblance.evidence import Finding
from semblance.shifting.between import FEW_OUTCOMES, Transfer, carry, mean_embedding, same_fate, tell_sites
from semblance.shifting.columns import compare
from semblance.shifting.columns import p_of_counts as p_of
from semblance.shifting.groups import FEWEST, Groups
from semblance.stats import total_variation

TIMES = 999
ASKS = {
    "shift.domain.auc": "Can a machine tell which site a patient is from? 0.5 means it cannot.",
    "shift.columns.share": "How many of what is known of patients differs between sites by more than chance?",
    "shift.mmd.p": "Could it be chance that sites lie where they lie, all columns together? A small p means no.",
    "shift.label.p": "Could it be chance that the outcome is more frequent at one site? A small p means no.",
    "shift.concept.p": "Could it be chance that patients alike in all columns fare otherwise at another site? A small "
    "p means no.",
    "shift.transfer.gap": "How much worse is a model that learned at one site, at another, than one from there?",
    "shift.transfer.drop": "How much worse does a model do at another site than at the one where it learned?",
}
_DROPPED = (
    "LightGBM from each site, cross-fitted at home, against itself at each other; DeLong intervals, combined by Zou "
    "and Donner (2008), Bonferroni over all pairs; the pair whose loss is surest"
)
_NO_OUTCOME = f"no outcome of two values with {FEW_OUTCOMES} patients of each at two sites"


def nothing(why: str) -> tuple[Finding, ...]:
    """All findings where there is nothing to compare."""
    return tuple(Finding(name, question, status="skipped", why=why) for name, question in ASKS.items())


def tell(groups: Groups, run: Run) -> tuple[Finding, ...]:
    """Compare the sites in every way.

    Privacy: computed on real patients, covered by no epsilon; names sites and columns, and no patient's value.
    """
    counts = np.bincount(groups.site)
    shared = {"sites": list(groups.sites), "patients_counts": counts.tolist(), "left_out": groups.left_out}
    return (_domain(groups, run, shared), _columns(groups), _mmd(groups, run), *_outcome(groups, run))


def _domain(groups: Groups, run: Run, shared: dict[str, object]) -> Finding:
    (value, low, high), _ = tell_sites(groups, run)
    method = (
        "LightGBM cross-fitted in 5 folds, one row of each patient; the mean over sites, each against the others; "
        f"interval with variance doubled for cross-fitting; sites with fewer than {FEWEST} patients are left out"
    )
    return replace(
        _blank("shift.domain.auc"), value=value, low=low, high=high, n=len(groups), unit="AUC", direction="lower",
        baseline=0.5, status="measured", why="", method=method, detail=shared,
    )  # fmt: skip


def _columns(groups: Groups) -> Finding:
    found = compare(groups)
    share = float(np.mean([c["p_bh"] <= 0.05 for c in found]))
    method = (
        "Kruskal–Wallis and χ² tests, 5 % by Benjamini and Hochberg (1995); effects of the site that differs most from "
        "the others: standardised mean difference, total variation, population stability index"
    )
    return replace(
        _blank("shift.columns.share"), value=share, n=len(groups), unit="share", direction="lower", baseline=0.0,
        status="measured", why="", method=method, detail={"columns": found},
    )  # fmt: skip


def _mmd(groups: Groups, run: Run) -> Finding:
    value, permuted = mean_embedding(groups, TIMES // 5 if run.quick else TIMES, run)
    method = (
        "maximum mean discrepancy, Gaussian kernel, patients exchanged between sites (Gretton et al. 2012); interval "
        "of its Monte Carlo error"
    )
    return replace(
        _blank("shift.mmd.p"), value=permuted.p, low=min(permuted.low, permuted.p), high=max(permuted.high, permuted.p),
        n=len(groups), unit="p", direction="higher", baseline=0.05, status="measured", why="", method=method,
        detail={"mmd_squared": value},
    )  # fmt: skip


def _outcome(groups: Groups, run: Run) -> tuple[Finding, ...]:
    """The outcome's frequency, its dependence on the site given the columns, and models carried over."""
    names = ("shift.label.p", "shift.concept.p", "shift.transfer.gap", "shift.transfer.drop")
    known = groups.target >= 0
    if len(np.unique(groups.target[known])) < 2 or len(np.unique(groups.site[known])) < len(groups.sites):
        return tuple(replace(_blank(name), why=_NO_OUTCOME) for name in names)
    return (_label(groups), _concept(groups, run), *_transfer(groups, run))


def _label(groups: Groups) -> Finding:
    known = groups.target >= 0
    site, target = groups.site[known], groups.target[known]
    table = np.stack([np.bincount(target[site == s], minlength=2) for s in range(len(groups.sites))])
    apart = total_variation(table.T.astype(float), (table.sum(axis=0) - table).T.astype(float))
    rates = table[:, 1] / table.sum(axis=1)
    detail = {
        "rates": dict(zip(groups.sites, rates.tolist(), strict=True)),
        "site": groups.sites[int(np.argmax(apart))],
        "difference": float(apart.max()),
    }
    return replace(
        _blank("shift.label.p"), value=p_of(table), n=len(site), unit="p", direction="higher", baseline=0.05,
        status="measured", why="", method="χ² test of the outcome by site", detail=detail,
    )  # fmt: skip


def _concept(groups: Groups, run: Run) -> Finding:
    found = same_fate(groups, run)
    if found is None:
        return replace(_blank("shift.concept.p"), status="underpowered", why="fewer than 20 patients with the outcome")
    method = (
        "generalised covariance measure (Shah and Peters 2020), outcome and site each forecast from all columns by "
        "LightGBM in 5 folds, Bonferroni over sites; blind to differences that cancel, and where columns give the site "
        "away"
    )
    detail = {"site": found.site, "more": found.more.value, "more_low": found.more.low, "more_high": found.more.high}
    return replace(
        _blank("shift.concept.p"), value=found.p, n=found.n, unit="p", direction="higher", baseline=0.05,
        status="measured", why="", method=method, detail=detail,
    )  # fmt: skip


def _transfer(groups: Groups, run: Run) -> tuple[Finding, Finding]:
    found = carry(groups, run)
    if not found:
        blanks = [replace(_blank(f"shift.transfer.{kind}"), why=_NO_OUTCOME) for kind in ("gap", "drop")]
        return blanks[0], blanks[1]
    worst = found[0]
    method = (
        "LightGBM from each site at each other, against one cross-fitted there, on the same patients; bootstrap of "
        "patients, Bonferroni over all pairs; the pair whose loss is surest"
    )
    detail = {
        "learned": worst.learned,
        "used": worst.used,
        "pairs": [_pair(t) for t in found],
    }
    gap = replace(
        _blank("shift.transfer.gap"), value=worst.gap.value, low=worst.gap.low, high=worst.gap.high, n=worst.n,
        unit="AUC", direction="higher", baseline=0.0, status="measured", why="", method=method, detail=detail,
    )  # fmt: skip

    fall = min(found, key=lambda t: t.drop.high)
    drop = replace(
        gap, name="shift.transfer.drop", question=ASKS["shift.transfer.drop"], value=fall.drop.value,
        low=fall.drop.low, high=fall.drop.high, n=fall.n, method=_DROPPED, detail=_pair(fall),
    )  # fmt: skip
    return gap, drop


def _pair(found: Transfer) -> dict[str, object]:
    areas = {"at_home": found.at_home, "abroad": found.abroad, "local": found.local}
    return {"learned": found.learned, "used": found.used, **areas, "gap": list(found.gap), "drop": list(found.drop)}


def _blank(name: str) -> Finding:
    return Finding(name, ASKS[name], status="skipped", why="not yet measured")
