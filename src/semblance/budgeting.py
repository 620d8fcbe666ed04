"""The commands about the ledger: what was spent on whom, whether anyone changed it, and the cap."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semblance.command import FILE, verb
from semblance.errors import InputError, LedgerError
from semblance.manner import Manner

if TYPE_CHECKING:
    from semblance.privacy.cohorts import Cohort, Release
    from semblance.privacy.ledger_file import CohortLedger

LEDGER = click.option("--ledger", "file", type=FILE, metavar="FILE", help="Its file; default: the user's own.")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  semblance ledger show --json",
)
def ledger() -> None:
    """What has been spent on which patients, over all releases."""


def _ledger(file: Path | None) -> CohortLedger:
    from semblance.privacy.ledger_file import CohortLedger, default_path

    return CohortLedger(file or default_path())


@verb("semblance ledger show")
@LEDGER
@click.pass_obj
def show(manner: Manner, /, file: Path | None) -> None:
    """Every cohort: what its releases add up to, its cap, and each release."""
    book = _ledger(file)
    with redirect_stdout(sys.stderr):
        cohorts = [_cohort(c) for c in book.books().each()]
    lines = [line for c in cohorts for line in _sentences(c)] or ["nothing was released yet."]
    manner.tell({"ledger": str(book.path), "cohorts": cohorts}, "\n".join([f"ledger  {book.path}", *lines]))


def _cohort(cohort: Cohort) -> dict[str, Any]:
    return {
        "cohort": cohort.name,
        "epsilon": round(cohort.epsilon, 4),
        "cap": {"epsilon": cohort.cap.epsilon, "delta": cohort.cap.delta},
        "without_guarantee": cohort.unprotected,
        "sources": [fingerprint[:12] for fingerprint in cohort.extracts],
        "releases": [_release(r, cohort) for r in cohort.releases.values()],
    }


def _release(release: Release, cohort: Cohort) -> dict[str, Any]:
    from semblance.privacy.accounting import epsilon_of
    from semblance.privacy.events import describe

    order, _ = cohort.cap.order_and_room()
    counted = release.counted(order) if release.private else release.held
    epsilon = epsilon_of(counted, cohort.cap.delta).epsilon
    return {
        "release": release.id,
        "begun": release.begun,
        "purpose": release.purpose,
        "status": release.status,
        "epsilon": round(epsilon, 4) if release.private else None,
        "mechanisms": [f"{purpose}: {describe(event)}" for purpose, event in release.spent],
    }


def _sentences(cohort: dict[str, Any]) -> Iterator[str]:
    cap = cohort["cap"]
    yield f"cohort {cohort['cohort']}  ε = {cohort['epsilon']:.2f} of {cap['epsilon']:g} at δ = {cap['delta']:g}"
    if cohort["without_guarantee"]:
        yield f"  released {cohort['without_guarantee']} times without a guarantee: over all releases ε = ∞"
    for release in cohort["releases"]:
        cost = "∞" if release["epsilon"] is None else f"{release['epsilon']:.2f}"
        ended = {"open": "never closed: all that was set aside counts", "aborted": "not released",
                 "inside": "kept inside"}  # fmt: skip
        told = ended.get(release["status"], "released")
        yield f"  {release['begun']}  {release['purpose']:<20} ε = {cost:<6} {told}"


@verb("semblance ledger verify release")
@click.argument("folders", nargs=-1, type=FILE, metavar="[FOLDER]…")
@LEDGER
@click.pass_obj
def verify(manner: Manner, /, folders: tuple[Path, ...], file: Path | None) -> None:
    """Check that no entry was changed, added, moved or taken out, and that these release folders are entered.

    A folder knows the latest entry before it was written: a ledger that was put back to an earlier state lacks it.
    """
    book = _ledger(file)
    with redirect_stdout(sys.stderr):
        entries = book.entries()
        book.books()
        known = {entry.hash for entry in entries}
        for folder in folders:
            if _head(folder) not in known:
                raise LedgerError(f"{book.path} lacks an entry that {folder} was released with; it was put back.")
    head = entries[-1].hash if entries else ""
    said = f"{book.path}: {len(entries)} entries, each as it was entered; the last is {head[:16] or 'none'}."
    manner.tell({"ledger": str(book.path), "entries": len(entries), "head": head, "folders": len(folders)}, said)


def _head(folder: Path) -> str:
    try:
        evidence = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
        return str(evidence["ledger"]["head"])
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no evidence.json that can be read; name a release folder.") from error
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder} was released without differential privacy, and knows no entry.") from error


@verb("semblance ledger cap 3f2a91c07b44 --epsilon 5")
@click.argument("cohort")
@click.option("--epsilon", type=click.FloatRange(min=0, min_open=True), required=True, metavar="E", help="The cap.")
@click.option("--delta", type=float, default=1e-6, show_default=True, metavar="D", help="Its delta.")
@LEDGER
@click.pass_obj
def cap(manner: Manner, /, cohort: str, epsilon: float, delta: float, file: Path | None) -> None:
    """Set the most that may ever be spent on a cohort; that it was changed stays on record."""
    from semblance.privacy.cohorts import Cap

    if not 0 < delta < 1:
        raise InputError("delta must lie between 0 and 1, below one over the number of patients.")
    _ledger(file).set_cap(cohort, Cap(epsilon, delta))
    facts = {"cohort": cohort, "epsilon": epsilon, "delta": delta}
    manner.tell(facts, f"the cap of cohort {cohort} is ε = {epsilon:g} at δ = {delta:g} from now on.")


for command in (show, verify, cap):
    ledger.add_command(command)
