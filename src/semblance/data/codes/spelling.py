"""How a column writes its codes: with or without point, how finely, and which zeros a spreadsheet has eaten."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from semblance.data.codes.hierarchy import Hierarchy


@dataclass(frozen=True, slots=True)
class Spelling:
    """Habits of one column, each shown by enough patients; nothing here depends on fewer.

    Attributes:
        point: 250.83 rather than 25083.
        zeros: 008 and 250.80 rather than 8 and 250.8.
        small: i50 rather than I50.
        finely: Codes are written with their endings, 250.83 rather than 250.
        otherwise: Categories in which this column does the opposite of `finely`.
        length: Characters after the category, at most.
    """

    point: bool = True
    zeros: bool = True
    small: bool = False
    finely: bool = False
    otherwise: tuple[str, ...] = ()
    length: int = 0

    def write(self, category: str, ending: str) -> str:
        """A code as this column writes it."""
        if not self.zeros and category.isdigit():
            category, ending = category.lstrip("0"), ending.rstrip("0")
        text = f"{category}{'.' if self.point and ending else ''}{ending}"
        return text.lower() if self.small else text

    def codes(self, category: str, hierarchy: Hierarchy) -> list[str]:
        """Published codes of a category, as finely as this column writes them."""
        if self.finely == (category in self.otherwise):
            return [self.write(category, "")]
        endings = dict.fromkeys(ending[: self.length] for ending in hierarchy.endings[category])
        return [self.write(category, ending) for ending in endings]


def find_spelling(held: pd.DataFrame, hierarchy: Hierarchy, *, min_patients: int) -> Spelling:
    """The habits that at least `min_patients` patients show.

    Args:
        held: One row for each pair of patient and code: columns "patient", "label", "category" and "ending".
    """
    label, category, ending = held["label"], held["category"], held["ending"]
    published = category.map(lambda c: hierarchy.endings.get(c, ("",)))
    divided = published != ("",)
    fine, point = ending != "", label.str.contains(".", regex=False)
    pairs = zip(ending, published, strict=True)
    eaten = point & pd.Series([e not in known and f"{e}0" in known for e, known in pairs], held.index, dtype=bool)

    def patients(rows: pd.Series[bool]) -> int:
        return int(held.loc[rows, "patient"].nunique())

    def shown(rows: pd.Series[bool]) -> bool:
        return patients(rows) >= min_patients

    dotted = shown(point) or not shown(fine)
    short = shown(label.str.split(".").str[0].str.len() < 3)
    stripped = shown(eaten) and not shown(point & label.str.endswith("0"))
    finely = shown(fine) and patients(fine) > patients(~fine & divided)
    with_ending = _categories(held[fine], min_patients)
    opposite = _categories(held[~fine & divided], min_patients) - with_ending if finely else with_ending
    return Spelling(
        point=dotted,
        zeros=not (dotted and (short or stripped)),
        small=shown(label != label.str.upper()),
        finely=finely,
        otherwise=tuple(sorted(opposite)),
        length=max((n for n in range(1, 5) if shown(ending.str.len() >= n)), default=0),
    )


def _categories(held: pd.DataFrame, min_patients: int) -> set[str]:
    """Categories that enough patients have."""
    patients = held.groupby("category")["patient"].nunique()
    return {str(category) for category in patients.index[patients >= min_patients]}
