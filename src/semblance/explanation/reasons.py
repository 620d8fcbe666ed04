"""Why a question about a column was answered with no, and what came close. Counts are protected; no cell is quoted."""

from __future__ import annotations

from collections.abc import Callable

from semblance.data.dates import nearest_format
from semblance.data.describe import infer
from semblance.data.describe.identifier_content import ENOUGH, FEWEST, lookalikes
from semblance.data.describe.identifiers import could_mean
from semblance.data.describe.look import Look
from semblance.data.describe.roles import is_code, names_patient
from semblance.data.numbers import looks_numeric
from semblance.explanation.tally import Tally, some

ASKED = {
    "empty": "Is the column empty?",
    "patient": "Does it number the patient?",
    "identifier": "Does it identify a person directly?",
    "date": "Are the cells dates or times?",
    "boolean": "Do two values mean yes and no?",
    "number": "Are the cells numbers?",
    "order": "Do the labels have an order?",
    "text": "Is it free text?",
    "label": "Are they labels?",
}
"""The questions of ``data/describe/infer.py`` as a person would ask them."""


def against(question: str, look: Look) -> str:
    """One sentence on why `question` does not decide this column."""
    return _AGAINST[question](look)


def near_misses(winner: str, look: Look) -> tuple[str, ...]:
    """What a person should look at because it came close, or because it looks like a person's data."""
    if winner in ("empty", "patient", "identifier"):
        return ()
    return (*_identifier_cells(look), *_unread_dates(look), *(_unread_numbers(look) if winner == "label" else ()))


def _empty(look: Look) -> str:
    return f"{Tally(look).of(look.filled)} hold a value"


def _patient(look: Look) -> str:
    strength, n = names_patient(look.name), sum(look.filled.values())
    if not strength:
        return "the name does not speak of the patient"
    if look.subject is not None:
        return f"the name may, but column {look.subject!r} was taken for it"
    if len(look.filled) == n:
        return "the name may, but no value comes twice, so each row is a patient of its own anyway"
    if len(look.filled) < 20:
        return "the name may, but there are fewer than 20 different values"
    return "the name may, but the values are too few, or not written as numbers or codes"


def _identifier(look: Look) -> str:
    if meant := could_mean(look.name):
        return f"the name may speak of {' or '.join(meant)}, but the cells or the rest of the name speak against it"
    if len(look.filled) < FEWEST:
        return f"the name does not say so, and fewer than {FEWEST} different values are taken for categories"
    return "neither the name nor the look of the cells says so"


def _date(look: Look) -> str:
    if look.written is not None and is_code(look.name):
        return "one date format reads every cell, but the name says that these are codes"
    near = _nearest(look)
    if near is None:
        return "no date format reads even half of the different cells"
    return f"{near[0]} reads most cells, but {some(len(near[1]))} different ones it does not"


def _nearest(look: Look) -> tuple[str, list[str]] | None:
    return nearest_format([text.strip() for text in look.filled][:2000])


def _boolean(look: Look) -> str:
    n = len(look.filled)
    if n != 2:
        return f"there {'is' if n == 1 else 'are'} {n:,} different value{'s' * (n != 1)}, not two"
    return "the two values are no pair that is known to mean yes and no"


def _number(look: Look) -> str:
    strange = [text for text in look.filled if not looks_numeric(text) and not looks_numeric(text, mark=",")]
    if not strange:
        return "the cells mix decimal points, decimal commas or thousands separators"
    if len(strange) == len(look.filled):
        return "no cell is a number"
    return f"{Tally(look).of(strange)} hold something that is no number"


def _order(look: Look) -> str:
    if len(look.filled) > infer.FEW_LABELS:
        return f"there are more than {infer.FEW_LABELS} different values"
    return "they are no bands of numbers, no words of a scale that is known here, and no numbered stages"


def _text(look: Look) -> str:
    words, chinese = infer.words_per_cell(look.filled)
    share = max(0.01, len(look.filled) / sum(look.filled.values()))
    length = f"{chinese:.0f} characters" if chinese >= 1 else f"{words:.1f} words"
    limit = f"{infer.WORDY_CHINESE:.0f}" if chinese >= 1 else f"{infer.WORDY:.0f}"
    return (
        f"{length} per value, and different values make up {share:.0%} of the cells; free text begins at {limit} with "
        f"half of the cells different, or at {infer.UNIQUE:.0%} different"
    )


STRAY = 0.05  # share of different cells up to which they may be slips rather than codes


_AGAINST: dict[str, Callable[[Look], str]] = {
    "empty": _empty,
    "patient": _patient,
    "identifier": _identifier,
    "date": _date,
    "boolean": _boolean,
    "number": _number,
    "order": _order,
    "text": _text,
}


def _identifier_cells(look: Look) -> list[str]:
    found = lookalikes(list(look.filled)[:2000])
    kinds = [kind for kind, cells in found.items() if len(cells) < ENOUGH * min(2000, len(look.filled))]
    return [
        f"{some(len(found[kind])).capitalize()} different cells look like {_article(kind)}: if they are real, remove "
        f"them from the source, or declare the column an identifier (from {ENOUGH:.0%} on it is taken for one)."
        for kind in kinds
    ]


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeioI' else 'a'} {noun}"


def _unread_dates(look: Look) -> list[str]:
    near = None if look.written is not None else _nearest(look)
    if near is None:
        return []
    return [
        f"All cells but {some(len(near[1]))} different ones are dates written {near[0]}: mend those, or list what "
        f'means "no value" under `missing`, and the column is a date.'
    ]


def _unread_numbers(look: Look) -> list[str]:
    strange = [text for text in look.filled if not looks_numeric(text) and not looks_numeric(text, mark=",")]
    if not strange or is_code(look.name) or len(strange) > max(3, STRAY * len(look.filled)):
        return []
    return [
        f"All cells are numbers but those of {Tally(look).of(strange)} ({len(strange)} different): mend them, "
        f'or list what means "no value" under `missing`, and the column is a number.'
    ]
