"""What in a source would make inference decide otherwise: the limits of the question that had the answer."""

from __future__ import annotations

from semblance.data.describe.identifier_content import ENOUGH
from semblance.data.describe.infer import FEW_LABELS, FEW_NUMBERS, UNIQUE, WORDY
from semblance.schema import Column

LIST_IT = 'unless it is listed under `missing` as "no value"'


def changes_of(winner: str, guess: Column) -> tuple[str, ...]:
    """Sentences for a column that `winner` of ``infer.QUESTIONS`` took for `guess`."""
    if winner == "number":
        return _numbers(guess)
    return {
        "empty": ("A single filled cell would be described like any other.",),
        "patient": (
            "A name that does not speak of the patient, values that never repeat, or another column that speaks of "
            "the patient more clearly would make it an ordinary column.",
        ),
        "identifier": (
            f"A name that does not speak of it, and cells of which fewer than {ENOUGH:.0%} look like it, would make "
            "it an ordinary column.",
        ),
        "date": (
            f"A cell that cannot be read in this format would make the column labels or text, {LIST_IT}.",
            "A name that speaks of codes would make it a code.",
        ),
        "boolean": (f"A third value would make it labels, steps of a scale or numbers, {LIST_IT}.",),
        "order": (f"A label that fits no such order would make the column labels without order, {LIST_IT}.",),
        "text": (
            f"Fewer than {WORDY:.0f} words a cell and fewer than {UNIQUE:.0%} different cells would make it labels, "
            "learned where at least 11 patients share them: code the text in the source to keep what it says.",
        ),
        "label": (
            f"More than {FEW_LABELS} different values make a code, fewer a category; both are learned alike.",
            f"Fewer repetitions (from {UNIQUE:.0%} different cells on) or sentences in the cells would make it free "
            "text, left blank.",
        ),
    }[winner]


def _numbers(guess: Column) -> tuple[str, ...]:
    if guess.kind == "ordinal":
        return (
            f"More than {FEW_NUMBERS} different numbers, or hardly any repetition, would make them amounts.",
            f"A cell that is no number would make the column labels, {LIST_IT}.",
        )
    if guess.numeric:
        return (
            f"{FEW_NUMBERS} different numbers or fewer, each repeated, would be taken as steps of a scale.",
            f"A cell that is no number would make the column labels, {LIST_IT}.",
            "Leading zeros, or a name that speaks of codes, would make the numbers labels.",
        )
    return ("No leading zeros, a name that does not speak of codes, and more than one value would make it a number.",)
