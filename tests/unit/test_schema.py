"""A Schema holds facts and refuses contradictions."""

from __future__ import annotations

import pytest

from semblance.errors import SchemaError
from semblance.schema import KINDS, NUMERIC, Column, Schema


def _schema() -> Schema:
    return Schema(
        (
            Column("id", "code", role="subject", handling="surrogate"),
            Column("name", "text", role="identifier", handling="surrogate"),
            Column("age", "integer", low=0, high=120),
            Column("note", "text", handling="blank"),
            Column("died", "boolean", role="target", categories=("0", "1")),
        )
    )


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda: Column("a", "float"), "kind"),  # type: ignore[arg-type]
        (lambda: Column("a", "number", role="owner"), "role"),  # type: ignore[arg-type]
        (lambda: Column("a", "number", handling="hide"), "handling"),  # type: ignore[arg-type]
        (lambda: Column("a", "number", low=2, high=1), "bound"),
        (lambda: Column("a", "category", categories=("x", "x")), "twice"),
        (lambda: Schema(()), "no columns"),
        (lambda: Schema((Column("a", "number"), Column("a", "number"))), "share a name"),
        (lambda: Schema((Column("a", "code", role="subject"), Column("b", "code", role="subject"))), "subject"),
        (lambda: Schema((Column("a", "code", role="target"), Column("b", "code", role="target"))), "target"),
    ],
)
def test_contradictions_are_refused_in_a_sentence(broken, said: str) -> None:
    with pytest.raises(SchemaError, match=said) as caught:
        broken()
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_identifiers_text_and_the_patient_are_never_modelled() -> None:
    assert [c.name for c in _schema().modelled] == ["age", "died"]
    assert not Column("a", "integer", role="identifier", handling="model").modelled
    assert not Column("a", "integer", role="subject", handling="model").modelled


def test_every_kind_is_on_a_scale_or_a_label() -> None:
    assert {kind for kind in KINDS if Column("a", kind).numeric} == NUMERIC  # type: ignore[arg-type]


def test_a_new_subject_replaces_the_old_one() -> None:
    changed = _schema().with_role("age", "subject")
    assert changed.subject == "age"
    assert changed["age"].handling == "surrogate"
    assert changed["id"].role == "feature"
    assert changed.names == _schema().names


def test_a_new_target_is_modelled_whatever_it_was() -> None:
    changed = _schema().with_role("age", "target")
    assert changed.target == "age"
    assert changed["age"].modelled
    assert changed["died"].role == "feature"


def test_free_text_is_never_modelled_and_cannot_be_the_target() -> None:
    assert not Column("note", "text", handling="model").modelled
    with pytest.raises(SchemaError, match="free text"):
        _schema().with_role("note", "target")


def test_an_unknown_column_is_named_beside_the_known() -> None:
    with pytest.raises(SchemaError, match=r"'weight'.*age"):
        _schema()["weight"]
    with pytest.raises(SchemaError):
        _schema().with_role("weight", "target")
    with pytest.raises(SchemaError):
        _schema().with_column(Column("weight", "number"))
    assert "weight" not in _schema()


def test_with_column_replaces_in_place() -> None:
    changed = _schema().with_column(Column("age", "integer", unit="years"))
    assert changed["age"].unit == "years"
    assert changed.names == _schema().names
