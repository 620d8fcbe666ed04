from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.errors import BudgetExceeded, InputError, LedgerError, Unsupported
from semblance.privacy.accounting import epsilon_of, renyi_of
from semblance.privacy.cohorts import CAP, FAILING, Cap
from semblance.privacy.events import Composed, Failure, Gaussian, Uncharged
from semblance.privacy.kinship import overlap, related, sketch
from semblance.privacy.ledger import Allowance
from semblance.privacy.ledger_file import CohortLedger, Extract, default_path

ONE = Allowance(1.0, 1e-6)
SMALL = Gaussian(6.0)
ADULTS = Extract("a" * 64)


@pytest.fixture
def ledger(tmp_path: Path) -> CohortLedger:
    return CohortLedger(tmp_path / "state" / "ledger.db")


def spend_once(ledger: CohortLedger, extract: Extract = ADULTS, event: Gaussian = SMALL) -> None:
    held = ledger.reserve(extract, ONE, purpose="run")
    held.spend("fit", event)
    held.commit()


# ── what adds up ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_releases_compose_as_one_tree(ledger: CohortLedger) -> None:
    for _ in range(3):
        spend_once(ledger)
    (cohort,) = ledger.books().each()
    assert cohort.epsilon == epsilon_of(Composed((SMALL, SMALL, SMALL)), CAP.delta).epsilon
    assert cohort.epsilon < 3 * epsilon_of(SMALL, CAP.delta).epsilon
    assert [r.status for r in cohort.private] == ["committed"] * 3


def test_what_is_set_aside_and_not_charged_is_free_again_at_the_end(ledger: CohortLedger) -> None:
    held = ledger.reserve(ADULTS, ONE, purpose="run")
    assert ledger.books().each()[0].epsilon == pytest.approx(1.0, abs=0.02)
    held.spend("fit", Gaussian(50.0))
    assert ledger.books().each()[0].epsilon == pytest.approx(1.0, abs=0.02)
    held.commit()
    assert ledger.books().each()[0].epsilon == epsilon_of(Gaussian(50.0), CAP.delta).epsilon


def test_an_aborted_release_keeps_what_it_charged_and_nothing_more(ledger: CohortLedger) -> None:
    ledger.reserve(ADULTS, ONE, purpose="run").abort()
    assert ledger.books().each()[0].epsilon == 0.0
    held = ledger.reserve(ADULTS, ONE, purpose="run")
    held.spend("fit", SMALL)
    held.abort()
    assert ledger.books().each()[0].epsilon == epsilon_of(SMALL, CAP.delta).epsilon


def test_a_closed_release_cannot_spend(ledger: CohortLedger) -> None:
    held = ledger.reserve(ADULTS, ONE, purpose="run")
    held.commit()
    for late in (lambda: held.spend("fit", SMALL), held.commit, held.abort):
        with pytest.raises(LedgerError, match="not open"):
            late()


def test_a_release_without_a_guarantee_is_entered_as_infinite(ledger: CohortLedger) -> None:
    ledger.enter_unprotected(ADULTS, purpose="run/chain")
    (cohort,) = ledger.books().each()
    (release,) = cohort.releases.values()
    assert release.held == Uncharged()
    assert epsilon_of(release.held, CAP.delta).epsilon == math.inf
    assert (cohort.unprotected, cohort.epsilon) == (1, 0.0)
    assert "without any guarantee" in str(ledger.plan(ADULTS, ONE))


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cap_closes_the_cohort_and_no_other(ledger: CohortLedger) -> None:
    for _ in range(7):  # composition is kinder than sums, and the cap is the cap
        spend_once(ledger, event=Gaussian(4.72))
    before = len(ledger.entries())
    (cohort,) = ledger.books().each()
    assert cohort.epsilon <= CAP.epsilon
    with pytest.raises(BudgetExceeded):
        ledger.reserve(ADULTS, ONE, purpose="run")
    assert len(ledger.entries()) == before
    spend_once(ledger, Extract("b" * 64))


def test_the_filter_is_a_sum_of_one_fixed_order(ledger: CohortLedger) -> None:
    """What is admitted stays under the room in that order, whatever order would have been best in hindsight."""
    order, room = CAP.order_and_room()
    for sigma in (9.0, 20.0, 7.0):
        spend_once(ledger, event=Gaussian(sigma))
    (cohort,) = ledger.books().each()
    total = sum(renyi_of(r.charged, order) for r in cohort.private)
    assert total == pytest.approx(sum(order / (2 * s**2) for s in (9.0, 20.0, 7.0)))
    assert total < room
    delta = (1 - FAILING) * CAP.delta  # the rest is kept for mechanisms that may fail
    assert epsilon_of(Gaussian(math.sqrt(order / (2 * room))), delta).rdp == pytest.approx(CAP.epsilon, rel=0.02)


def test_one_release_may_take_the_whole_cap(ledger: CohortLedger) -> None:
    held = ledger.reserve(ADULTS, Allowance(CAP.epsilon, CAP.delta), purpose="run")
    held.commit()
    with pytest.raises(BudgetExceeded):
        ledger.reserve(ADULTS, Allowance(CAP.epsilon * 1.02, CAP.delta), purpose="run")


def test_spending_more_than_was_set_aside_is_checked_again(ledger: CohortLedger) -> None:
    held = ledger.reserve(ADULTS, ONE, purpose="run")
    with pytest.raises(BudgetExceeded):
        held.spend("fit", Gaussian(0.5))
    with pytest.raises(BudgetExceeded):
        held.spend("labels", Failure(1e-3))
    held.spend("fit", SMALL)


def test_a_larger_delta_than_the_caps_is_refused(ledger: CohortLedger) -> None:
    with pytest.raises(BudgetExceeded, match="delta"):
        ledger.reserve(ADULTS, Allowance(1.0, 1e-3), purpose="run")
    with pytest.raises(Unsupported):
        ledger.reserve(ADULTS, Allowance(1.0, 1e-6, relation="replace_one"), purpose="run")


def test_a_cap_can_be_set_and_the_change_stays_on_record(ledger: CohortLedger) -> None:
    spend_once(ledger, Extract("c" * 64, cohort="registry"))
    ledger.set_cap("registry", Cap(1.0, 1e-6))
    with pytest.raises(BudgetExceeded, match="registry"):
        ledger.reserve(Extract("c" * 64), ONE, purpose="run")
    ledger.set_cap("c" * 8, Cap(2.0, 1e-6))
    ledger.reserve(Extract("c" * 64), ONE, purpose="run")
    assert [e.facts["epsilon"] for e in ledger.entries() if e.kind == "cap"] == [1.0, 2.0]
    with pytest.raises(InputError, match="registry"):
        ledger.set_cap("nobody", CAP)


# ── whose budget it is ───────────────────────────────────────────────────────────────────────────────────────────────


def patients(first: int, last: int) -> pd.Series:
    return pd.Series([f"P{i:06d}" for i in range(first, last)], name="patient")


def test_extracts_that_share_patients_share_a_budget(ledger: CohortLedger) -> None:
    key = ledger.key()
    whole = Extract("1" * 64, sketch(patients(0, 5000), key))
    spend_once(ledger, whole)
    part = Extract("2" * 64, sketch(patients(4500, 5000), key))
    stranger = Extract("3" * 64, sketch(patients(9000, 12000), key))
    spend_once(ledger, part)
    spend_once(ledger, stranger)
    both, other = ledger.books().each()
    assert (len(both.releases), len(other.releases)) == (2, 1)


def test_cohorts_that_turn_out_to_be_one_are_united_under_the_smaller_cap(ledger: CohortLedger) -> None:
    key = ledger.key()
    spend_once(ledger, Extract("1" * 64, sketch(patients(0, 1000), key), "north"))
    spend_once(ledger, Extract("2" * 64, sketch(patients(1000, 2000), key), "south"))
    ledger.set_cap("south", Cap(2.0, 1e-6))
    assert len(ledger.books().each()) == 2
    spend_once(ledger, Extract("3" * 64, sketch(patients(500, 1500), key)))
    (cohort,) = ledger.books().each()
    assert len(cohort.releases) == 3
    assert cohort.cap.epsilon == 2.0
    assert {"north", "south"} <= set(ledger.books().cohorts)


def test_a_new_name_does_not_open_a_new_budget(ledger: CohortLedger) -> None:
    spend_once(ledger, Extract("1" * 64, cohort="first"))
    spend_once(ledger, Extract("1" * 64, cohort="second"))
    (cohort,) = ledger.books().each()
    assert len(cohort.releases) == 2
    spend_once(ledger, Extract("9" * 64, cohort="second"))
    assert len(ledger.books().each()) == 1


def test_overlap_is_estimated_from_the_sketches() -> None:
    one, other = sketch(patients(0, 20000), "k" * 16), sketch(patients(10000, 30000), "k" * 16)
    assert len(one) == 256
    assert overlap(one, other) == pytest.approx(1 / 3, abs=0.1)
    assert overlap(one, one) == 1.0
    assert not related(one, sketch(patients(0, 20000), "j" * 16))
    assert overlap(one, ()) == 0.0


def test_order_and_repeats_of_rows_do_not_change_a_sketch() -> None:
    rng = np.random.default_rng(0)
    rows = patients(0, 3000)
    assert sketch(rows.iloc[rng.permutation(3000)], "k" * 16) == sketch(pd.concat([rows, rows]), "k" * 16)


# ── what is found ────────────────────────────────────────────────────────────────────────────────────────────────────


def change(ledger: CohortLedger, statement: str, *values: object) -> None:
    with sqlite3.connect(ledger.path) as base:
        base.execute(statement, values)
    base.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries WHERE n = 3",
        "UPDATE entries SET body = replace(body, 'fit', 'fat') WHERE n = 4",
        "UPDATE entries SET n = 90 WHERE n = 4",
        "UPDATE entries SET hash = replace(hash, 'a', 'b') WHERE n = 2",
        "INSERT INTO entries SELECT n + 100, body, hash FROM entries WHERE n = 4",
    ],
)
def test_tampering_is_found_and_nothing_is_spent(ledger: CohortLedger, statement: str) -> None:
    spend_once(ledger)
    change(ledger, statement)
    with pytest.raises(LedgerError, match="entry"):
        ledger.entries()
    with pytest.raises(LedgerError):
        ledger.reserve(ADULTS, ONE, purpose="run")


def test_a_rewritten_body_with_a_right_hash_breaks_the_next_entry(ledger: CohortLedger) -> None:
    import hashlib

    spend_once(ledger)
    entry = ledger.entries()[3]
    facts = {**entry.facts, "event": {"event": "gaussian", "noise_multiplier": 600.0}}
    body = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(body.encode()).hexdigest()
    change(ledger, "UPDATE entries SET body = ?, hash = ? WHERE n = 4", body, digest)
    with pytest.raises(LedgerError, match="entry 5"):
        ledger.entries()


def test_a_file_that_is_no_ledger_is_refused(ledger: CohortLedger) -> None:
    ledger.path.parent.mkdir()
    ledger.path.write_text("age,sex\n" * 400)
    with pytest.raises(LedgerError):
        ledger.entries()


def test_the_file_is_for_its_owner_and_lies_where_it_is_said(
    ledger: CohortLedger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spend_once(ledger)
    assert ledger.path.stat().st_mode & 0o077 == 0
    monkeypatch.delenv("SEMBLANCE_LEDGER", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "semblance" / "ledger.db"
    monkeypatch.setenv("SEMBLANCE_LEDGER", str(tmp_path / "own.db"))
    assert default_path() == tmp_path / "own.db"
