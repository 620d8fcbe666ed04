from __future__ import annotations

import pytest

from semblance.errors import InputError
from semblance.release.terms import NO_TERMS, Terms


def test_terms_are_read_back_as_said() -> None:
    terms = Terms(" The data\n office ", "2027-06-30", "2026-01-02")
    assert terms.contact == "The data office"
    assert Terms.from_dict(terms.to_dict()) == terms
    assert Terms.from_dict(None) == Terms.from_dict({}) == NO_TERMS


@pytest.mark.parametrize("day", ["tomorrow", "30.6.2027", "2027-6-30", "2027-02-30", "20270630", "2027-06-30T00:00"])
@pytest.mark.parametrize("field", ["expires", "dated"])
def test_what_is_not_a_day_is_one_clear_error(field: str, day: str) -> None:
    with pytest.raises(InputError, match=rf"--{field} as YYYY-MM-DD"):
        Terms(**{field: day})


def test_a_release_lasts_at_least_a_day() -> None:
    with pytest.raises(InputError, match="expires before it is dated"):
        Terms(expires="2026-01-02", dated="2026-01-02")
