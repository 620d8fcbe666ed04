"""The pages about privacy: who overruled what, what attacks found, whether they would have seen a leak, the source."""

from __future__ import annotations

from typing import Any

import pytest

from semblance.evidence import Evidence, Finding
from semblance.report import first
from semblance.report.asked import asked_of_holdout
from semblance.report.doses import best_sentence, draw_doses
from semblance.report.forest import MOST_COLUMNS, MOST_GROUPS, group_of, panels
from semblance.report.language import language
from semblance.report.page import render
from semblance.report.source import exposure

SAY = language("en")


def gain(name: str, value: float = 0.01, **more: Any) -> Finding:
    asked: dict[str, Any] = {"low": value - 0.02, "high": value + 0.02, "baseline": 0.0, **more}
    return Finding(name, "?", value, **asked)


# ── the first screen ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_override_is_an_alarm_with_name_rule_and_reason() -> None:
    said = {"rule": "No near copies", "by": "Dr. A. Board", "reason": "teaching only", "status": "fail"}
    shown = first.notices(Evidence(()), {"overrides": [said]}, SAY)
    assert [n.kind for n in shown] == ["alarm"]
    assert "Dr. A. Board" in shown[0].title
    assert "No near copies" in shown[0].title
    assert "teaching only" in shown[0].text


def test_an_override_of_a_rule_that_was_met_changed_nothing() -> None:
    said = {"rule": "No near copies", "by": "B", "reason": "r", "status": "pass"}
    assert first.notices(Evidence(()), {"overrides": [said]}, SAY) == []


def test_a_page_released_by_a_person_does_not_claim_that_the_rules_were_met() -> None:
    said = {"rule": "No near copies", "by": "B", "reason": "<b>r</b>", "status": "fail"}
    rule = {"rule": "No near copies", "status": "fail", "why": "w", "reason": "r", "try": "t", "source": "s"}
    rules = [{**rule, "reads": "high", "op": "<=", "limit": 0.1, "bound": 0.2}]
    verdict = {"decision": "RELEASE", "overrides": [said], "rules": rules, "policy": {"name": "p"}}
    page = render(Evidence(()), verdict)
    assert "only because a person overruled the policy “p”" in page
    assert "it met all" not in page
    assert "<b>r</b>" not in page


def test_a_policy_that_changed_is_an_alarm_and_one_that_did_not_is_silent() -> None:
    assert [n.kind for n in first.notices(Evidence(()), {"policy": {"changed": True}}, SAY)] == ["alarm"]
    for changed in (False, None):
        assert first.notices(Evidence(()), {"policy": {"changed": changed}}, SAY) == []


def test_a_table_made_elsewhere_says_which_rules_were_not_asked_and_why() -> None:
    rules = [
        {"rule": name, "status": "not_applicable", "why": "There is no recipe."} for name in ("Rule one", "Rule two")
    ]
    shown = first.notices(Evidence((), provenance={"recipe": None}), {"rules": rules}, SAY)
    assert [n.kind for n in shown] == ["doubt", "plain"]
    assert shown[1].title == "2 rules were not asked:"
    assert shown[1].text == "“Rule one”, “Rule two”. There is no recipe."


@pytest.mark.parametrize(("tier", "said"), [("board", "board"), ("recipient", "rounded"), ("public", "essentials")])
def test_a_page_says_for_whom_it_is(tier: str, said: str) -> None:
    assert said in first.tier_words(tier, SAY)


# ── the forest ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_gain_is_told_per_hundred_with_its_rates_and_its_rule() -> None:
    found = gain("singling_out.univariate.advantage", detail={"members": 0.05, "others": 0.04, "naive": 0.01})
    rule = {"finding": found.name, "op": "<=", "limit": 0.05, "status": "pass"}
    (panel,) = panels(Evidence((found,)), {"rules": [rule]}, SAY)
    (row,) = panel.rows
    assert (row.value, row.interval, row.status) == ("1", "−1 to 3", "pass")
    assert (
        row.beside == "Hits per 100: 5 among patients in the data, 4 among strangers, 1 by guessing without the table."
    )
    assert row.gauge is not None
    assert row.gauge.baseline is not None
    assert row.gauge.allowed_to is not None
    assert (row.gauge.low or 0) < row.gauge.baseline < row.gauge.value < (row.gauge.high or 0) < row.gauge.allowed_to


def test_an_attack_that_blind_guessing_equals_is_called_that() -> None:
    found = gain("inference.hiv.advantage", detail={"members": 0.5, "others": 0.49, "naive": 0.6})
    (panel,) = panels(Evidence((found,)), {}, SAY)
    assert panel.rows[0].beside.endswith("Guessing without the table does as well.")


def test_all_rows_of_a_panel_share_a_scale_that_holds_every_number() -> None:
    found = (gain("copies.exact.excess", 0.0), gain("linkage.random.advantage", 0.2), gain("copies.near.excess", -0.1))
    (panel,) = panels(Evidence(found), {}, SAY)
    zeros = {row.gauge.baseline for row in panel.rows if row.gauge}
    assert len(zeros) == 1
    assert [row.title for row in panel.rows][-1] == "Linking two random halves of a record"
    for row in panel.rows:
        assert row.gauge is not None
        assert 0 <= (row.gauge.low or 0) <= row.gauge.value <= (row.gauge.high or 0) <= 100
    assert (panel.start, panel.end) == ("−15", "25")


def test_only_the_most_exposed_columns_are_drawn_and_the_rest_are_counted() -> None:
    found = tuple(gain(f"inference.c{i}.advantage", i / 100) for i in range(20))
    (panel,) = panels(Evidence(found), {}, SAY)
    assert len(panel.rows) == MOST_COLUMNS
    assert panel.left_out == 20 - MOST_COLUMNS
    assert "Guessing c19" in [row.title for row in panel.rows]


def test_groups_are_listed_worst_first_and_a_single_one_is_none() -> None:
    groups = [{"name": f"g = {i}", "value": i / 100, "low": 0.0, "high": i / 50} for i in range(20)]
    many = gain("inference.groups.advantage", detail={"groups": groups})
    one = gain("inference.outliers.advantage", detail={"groups": groups[:1]})
    (panel,) = panels(Evidence((many, one)), {}, SAY)
    (shown,) = panel.groups
    assert (shown.n, len(shown.rows), shown.rows[0].title) == (20, MOST_GROUPS, "g = 19")


def test_what_was_not_measured_is_named_with_its_reason_and_has_no_row() -> None:
    silent = Finding("membership.shadow.auc", "?", status="skipped", why="no recipe")
    (panel,) = panels(Evidence((silent,)), {}, SAY)
    assert panel.rows == ()
    assert panel.absent == (("Guessing membership with shadow models", "no recipe"),)


def test_an_underpowered_number_keeps_its_caveat() -> None:
    weak = gain("copies.near.excess", status="underpowered", why="fewer than 50 patients")
    (panel,) = panels(Evidence((weak,)), {}, SAY)
    assert panel.rows[0].status == "underpowered"
    assert panel.rows[0].beside == "fewer than 50 patients"


def test_a_group_is_said_in_the_language_and_its_labels_are_kept() -> None:
    zh = language("zh")
    assert group_of("age in quarter 4", zh) == "age 位于第 4 个四分位组"
    assert group_of("sex = missing", zh) == "sex = 缺失"
    assert group_of("sex = female", zh) == "sex = female"


# ── power ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def dose(name: str, value: float | None, **more: Any) -> Finding:
    doses = [
        {"leak": leak, "value": leak, "low": leak - 0.01, "high": leak + 0.01, "seen": leak > 0.01}
        for leak in (0.0, 0.005, 0.02, 0.2)
    ]
    status = {} if value is not None else {"status": "underpowered", "why": "nothing was seen"}
    return Finding(
        name, "?", value, detail={"finding": "copies.exact.excess", "baseline": 0.0, "doses": doses}, **status, **more
    )


def test_the_smallest_leak_that_was_seen_is_said_as_it_is() -> None:
    evidence = Evidence((dose("power.copies.leak", 0.02, low=0.005, high=0.2), dose("power.best.leak", 0.005)))
    assert "0.5 % of the rows or more" in best_sentence(evidence, SAY)
    (shown,) = draw_doses(evidence, SAY)
    assert shown.sentence == "This attack would have seen a leak of 2 % or more."
    assert "from 20 % on" in shown.beside
    assert shown.svg is not None


def test_an_attack_that_saw_nothing_promises_nothing() -> None:
    evidence = Evidence((dose("power.copies.leak", None), dose("power.best.leak", None)))
    assert "Nobody knows" in best_sentence(evidence, SAY)
    (shown,) = draw_doses(evidence, SAY)
    assert "not known" in shown.sentence
    assert shown.beside == "nothing was seen"


def test_a_power_without_its_doses_is_still_told() -> None:
    (shown,) = draw_doses(Evidence((Finding("power.copies.leak", "?", 0.01),)), SAY)
    assert shown.svg is None
    assert "1 %" in shown.sentence


# ── the source ───────────────────────────────────────────────────────────────────────────────────────────────────────


def source(value: float = 0.9, **detail: Any) -> Finding:
    return Finding("source.unique.share", "?", value, detail=detail)


def test_the_first_sentence_counts_patients_and_names_columns() -> None:
    told = exposure(Evidence((source(0.991, sets=[{"columns": ["age", "sex"], "classes": []}]),)), SAY)
    assert (
        told.answer == "With every name removed, 99.1 in 100 real patients are still the only one with their age, sex."
    )
    assert "alone in what others may know" in exposure(Evidence((source(),)), SAY).answer


def test_steps_are_the_most_telling_set_of_each_size() -> None:
    top = [
        {"columns": ["age"], "share": 0.4},
        {"columns": ["sex"], "share": 0.1},
        {"columns": ["age", "sex"], "share": 0.8},
    ]
    told = exposure(Evidence((source(top=top),)), SAY)
    assert [(b.label, b.width, b.strong) for b in told.steps] == [("age", 40.0, False), ("age + sex", 80.0, True)]


def test_blanked_classes_are_said_and_not_drawn_as_nobody() -> None:
    classes = [
        {"from": 1, "to": 1, "patients_counts": 100},
        {"from": 2, "to": 2, "patients_counts": None},
        {"from": 11, "to": None, "patients_counts": 300},
    ]
    told = exposure(Evidence((source(sets=[{"columns": [], "classes": classes}]),)), SAY)
    assert [b.label for b in told.classes] == ["alone", "2 alike", "11 or more alike"]
    assert [b.shown for b in told.classes] == ["25.0 %", "fewer than 11", "75.0 %"]


@pytest.mark.parametrize(("risk", "above"), [(0.08, False), (1 / 11, False), (0.2, True)])
def test_three_intruders_are_held_to_the_threshold(risk: float, above: bool) -> None:
    found = tuple(
        Finding(f"source.{who}.risk", "?", risk, 0.01, 1.0) for who in ("prosecutor", "journalist", "marketer")
    )
    told = exposure(Evidence(found), SAY)
    assert [i.above for i in told.intruders] == [above] * 3


def test_a_page_without_any_of_it_says_that_it_was_not_measured() -> None:
    told = exposure(Evidence(()), SAY)
    assert told.absent
    assert not told.answer
    assert told.steps == told.classes == told.intruders == told.crowd == ()


# ── the holdout ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_questions_to_the_holdout_are_added_up_by_family() -> None:
    found = (
        Finding("copies.a.excess", "?", 0.0, detail={"queries": 1000}),
        Finding("copies.b.excess", "?", 0.0, detail={"queries": 500}),
        Finding("linkage.a.advantage", "?", 0.0, detail={"queries": 9000}),
        Finding("validity.rows.share", "?", 1.0, detail={"queries": True}),
    )
    told = asked_of_holdout(Evidence(found), SAY)
    assert told.rows == (("Can records be linked?", "9\u202f000"), ("Are there copies?", "1\u202f500"))


def test_openings_and_reuse_are_said() -> None:
    facts = {"split": {"holdout_opened_for": ["audit"]}, "holdout": {"uses": 3}}
    early = Finding("protocol.holdout.early", "?", 2.0)
    said = " ".join(asked_of_holdout(Evidence((early,), provenance=facts), SAY).sentences)
    for part in ("opened once", "3 releases", "opened 2 times before the table was made"):
        assert part in said
