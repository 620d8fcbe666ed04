"""Every way of writing a date comes back as it was written."""

from __future__ import annotations

import pytest

from semblance.data.dates import find_format, read_moment, write_moment


@pytest.mark.parametrize(
    "texts",
    [
        ["2020-01-05", "2021-12-31"],
        ["1/13/2020", "1/2/2020"],
        ["13.01.2020", "02.01.2020"],
        ["2020年1月5日", "2020年12月25日"],
        ["2020年1月5日 10时20分", "2020年12月25日 09时05分"],
        ["2011-08-17T02:31:33Z", "2012-08-17T12:31:33Z"],
        ["2020-01-05 10:00:00.123", "2020-01-05 10:00:00.900"],
        ["2020-01-05T10:00:00+08:00", "2020-07-05T10:00:00+08:00"],
        ["2147-10-29 00:00:00", "2101-01-02 00:00:00"],
        ["20200105", "20211231"],
        ["05-JAN-2020", "31-DEC-2021"],
        ["Jan 5, 2020", "Dec 31, 2021"],
        ["January 5, 2020", "December 31, 2021"],
        ["12Mar2020", "01Apr2021"],
        ["1/5/2020 3:04 PM", "1/25/2020 12:04 AM"],
        ["2020/01/05 9:05", "2020/11/05 19:05"],
        ["10:20:00", "23:59:59"],
        ["31/12/68", "01/02/99"],
    ],
)
def test_dates_come_back(texts: list[str]) -> None:
    found = find_format(texts)
    assert found is not None
    assert [write_moment(read_moment(text, found.text), found.text) for text in texts] == texts


@pytest.mark.parametrize(
    "texts", [["12", "13"], ["1.5", "2.25"], ["250.01", "V27"], ["120/80", "130/85"], ["2020-02-30"], ["25:10:00"], []]
)
def test_other_things_are_no_dates(texts: list[str]) -> None:
    assert find_format(texts) is None


def test_moments_without_hours_are_days() -> None:
    assert not find_format(["2147-10-29 00:00:00", "2101-01-02 00:00:00"]).moment  # type: ignore[union-attr]
    assert find_format(["2147-10-29 00:00:00", "2101-01-02 07:00:00"]).moment  # type: ignore[union-attr]


def test_differing_offsets_become_one_clock() -> None:
    found = find_format(["2020-01-05T10:00:00+08:00", "2020-01-05T10:00:00+09:00"])
    assert found is not None
    assert read_moment("2020-01-05T10:00:00+08:00", found.text).hour == 2


@pytest.mark.parametrize(
    "texts",
    [
        ["2000-01-01T00:00:00.000", "2000-01-01T00:00:01.000"],
        ["2000-01-01 00:00:05", "2000-01-02 00:00:07"],
        ["2000-01-01T00:00:00.250", "2000-01-02T00:00:00.500"],
    ],
)
def test_the_first_minute_of_a_day_is_not_a_midnight(texts: list[str]) -> None:
    found = find_format(texts)
    assert found is not None
    assert found.moment
    assert [write_moment(read_moment(text, found.text), found.text) for text in texts] == texts
