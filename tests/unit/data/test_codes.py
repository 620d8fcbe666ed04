"""Codes: the hierarchy knows its codes, and rare ones are drawn only as published members of a pool."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.data.cells import Cells, make_cells
from semblance.data.codes.hierarchy import Hierarchy, hierarchy_of
from semblance.data.codes.pools import pool_codes
from semblance.data.codes.recognise import recognise
from semblance.data.describe.infer import infer_schema
from semblance.data.raw import Raw
from semblance.schema import Column

DIAGNOSIS = Column("diagnosis", "code", code_system="icd9cm")


def known(system: str) -> Hierarchy:
    hierarchy = hierarchy_of(system)
    assert hierarchy is not None
    return hierarchy


def cells_of(labels: list[str | None], column: Column = DIAGNOSIS, subjects: np.ndarray | None = None) -> Cells:
    values = pd.Series(labels, dtype=object)
    return make_cells(values, column, subjects=np.arange(len(values)) if subjects is None else subjects)


def drawn(cells: Cells, cell: int, n: int = 4000) -> set[str]:
    return set(cells.decode(np.full(n, cell, dtype=np.int32), np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("system", "label", "path"),
    [
        ("icd9cm", "250.83", ("250", "249-259", "240-279", "all")),
        ("icd9cm", "25083", ("250", "249-259", "240-279", "all")),
        ("icd9cm", "428", ("428", "420-429", "390-459", "all")),
        ("ICD-9-CM", "8", ("008", "001-009", "001-139", "all")),
        ("icd9", "038.9", ("038", "030-041", "001-139", "all")),
        ("icd9cm", "V57", ("V57", "V50-V59", "V01-V91", "all")),
        ("icd9cm", "e8889", ("E888", "E880-E888", "E000-E999", "all")),
        ("icd9cm", "282.6", ("282", "280-289", "all")),
        ("icd10", "I50.1", ("I50", "I30-I52", "I00-I99", "all")),
        ("icd10", "I50.-", ("I50", "I30-I52", "I00-I99", "all")),
        ("ICD-10-CM", "S72.001A", ("S72", "S70-S79", "S00-T88", "all")),
        ("icd10cm", "C4A.9", ("C4A", "C43-C44", "C00-D49", "all")),
    ],
)
def test_a_code_has_a_place(system: str, label: str, path: tuple[str, ...]) -> None:
    hierarchy = known(system)
    code = hierarchy.read(label)
    assert code is not None
    assert hierarchy.path(code[0]) == path
    assert hierarchy.is_published(*code)


@pytest.mark.parametrize("label", ["?", "", "V5", "E90", "hypertension", "250.", "250.123", "-1", "1e3", "25 0", "A00"])
def test_what_is_no_code_is_not_read(label: str) -> None:
    assert known("icd9cm").read(label) is None


def test_well_formed_is_not_yet_published() -> None:
    hierarchy = known("icd9cm")
    for label in ("019", "250.04", "428.5"):
        code = hierarchy.read(label)
        assert code is not None
        assert not hierarchy.is_published(*code)


@pytest.mark.parametrize(
    ("system", "categories", "codes"), [("icd9cm", 1234, 14567), ("icd10", 2050, 10658), ("icd10cm", 1918, 74719)]
)
def test_every_published_code_has_its_place_in_order(system: str, categories: int, codes: int) -> None:
    hierarchy = known(system)
    assert len(hierarchy.endings) == categories
    assert sum(len(endings) for endings in hierarchy.endings.values()) == codes
    places = [hierarchy.key(category)[0] for category in hierarchy.endings]
    assert places == sorted(places)
    for category in hierarchy.endings:
        assert hierarchy.path(category)[0] == category
        assert all(category in hierarchy.categories(node) for node in hierarchy.path(category))
        assert hierarchy.read(category) == (category, "")


def test_unknown_systems_are_left_alone() -> None:
    assert hierarchy_of("") is None
    assert hierarchy_of("snomed") is None
    plain = cells_of(["a"] * 20 + ["b"] * 3, Column("x", "code", code_system="snomed"))
    assert plain.labels == ("a",)
    assert plain.pools is None


def common(*labels: str) -> list[str | None]:
    return [label for label in labels for _ in range(30)]


def test_rare_codes_are_pooled_as_low_as_patients_allow() -> None:
    """Twelve patients share the rest of one block, four more only a chapter with others."""
    block = [f"{number}" for number in (410, 411, 412, 413)] * 3
    chapter = ["394", "394", "441", "442", "451", "452", "453", "454", "430", "431", "432"]
    cells = cells_of([*common("428", "250", "401"), *block, *chapter, "800"])
    assert cells.pools is not None
    assert [node for node in cells.pools.nodes if node] == ["410-414", "390-459"]
    assert cells.n_rare == len(set(block + chapter)) + 1
    assert drawn(cells, cells.labels.index("other ICD-9-CM 410-414")) == {"410", "411", "412", "413", "414"}
    others = drawn(cells, cells.labels.index("other ICD-9-CM 390-459"))
    assert {"390", "394", "402", "459"} <= others
    assert not others & {"401", "428", "410", "414"}  # cells of their own, and the lower pool's
    codes = cells.encode(pd.Series(["410", "414", "394", "459", "800", "nonsense"], dtype=object))
    low, high = (cells.labels.index(f"other ICD-9-CM {node}") for node in ("410-414", "390-459"))
    assert list(codes) == [low, low, high, high, -1, -1]


def test_cells_follow_the_hierarchy() -> None:
    cells = cells_of([*common("V57", "E888", "8", "250.02", "250", "428", "38", "none of these"), "410", *["394"] * 10])
    assert cells.labels == ("8", "38", "250", "250.02", "428", "other ICD-9-CM 390-459", "V57", "E888", "none of these")
    assert cells.ordered


def test_one_published_code_is_no_pool() -> None:
    """Only 428 is left of its block: a pool of one would be that rare label in disguise."""
    left = [str(number) for number in range(420, 430) if number != 428]
    cells = cells_of([*common(*left, "410"), *["428"] * 6, *["428.0"] * 3, *["428.1"] * 3])
    assert cells.pools is not None
    assert "420-429" not in cells.pools.nodes
    for cell in cells.pools.members:
        assert len(drawn(cells, cell)) >= 2


def test_a_pool_says_nothing_about_which_rare_codes_were_seen() -> None:
    """Two tables that differ only in who has which rare code of a block give the same cells and the same draws."""
    shared = common("428", "250.02", "250.6", "8")
    one = cells_of([*shared, *["441"] * 6, *["442"] * 6])
    two = cells_of([*shared, "443", "444", "446", *["447"] * 9])
    assert one.labels == two.labels
    assert one.pools is not None
    assert two.pools is not None
    assert one.pools.to_dict() == two.pools.to_dict()
    assert one.pools.members.keys() == two.pools.members.keys()
    assert all((one.pools.members[cell] == two.pools.members[cell]).all() for cell in one.pools.members)


def test_one_patients_way_of_writing_is_not_followed() -> None:
    usual = [*common("428", "410", "V57"), *["441"] * 6, *["442"] * 6]
    odd = ["443.21", "v58", "38", "4439"]
    assert cells_of([*usual, *odd]).pools.spelling == cells_of(usual).pools.spelling  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("shown", "rare", "some", "none"),
    [
        (["428", "410", "250.02", "250.61"], ["250.13", "250.22"], {"250.01", "250.83", "250.00"}, {"250.02", "25013"}),
        (["8", "410", "250.8"], ["250.13", "250.22"], {"250.01", "250.1"}, {"250.80", "250.8", "250.10"}),
        (["0389", "4280", "25000", "V5789"], ["4281", "4289"], {"42820", "4281"}, {"428", "428.1", "4280"}),
        (["038.9", "428.0", "250.00"], ["428.1", "428.9"], {"428.20", "428.1"}, {"428", "4281", "428.0"}),
    ],
)
def test_drawn_codes_are_written_as_the_column_writes_them(
    shown: list[str], rare: list[str], some: set[str], none: set[str]
) -> None:
    cells = cells_of([*common(*shown), *(label for label in rare for _ in range(8))])
    assert cells.pools is not None
    (pool,) = cells.pools.members
    codes = drawn(cells, pool)
    assert some <= codes
    assert not none & codes


def test_lower_case_without_point_and_cut_short() -> None:
    column = Column("d", "code", code_system="icd10cm")
    cells = cells_of([*common("i501", "i10", "e119", "j189"), *["s720"] * 6, *["s721"] * 6], column)
    assert drawn(cells, cells.labels.index("other ICD-10-CM S72")) == {f"s72{digit}" for digit in (0, 1, 2, 3, 4, 8, 9)}


ANY = st.sampled_from(sorted(known("icd9cm").endings)).flatmap(
    lambda c: st.sampled_from([c, *(f"{c}.{e}" for e in known("icd9cm").endings[c] if e)])
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(ANY, st.integers(1, 25)), min_size=1, max_size=40), st.integers(0, 5))
def test_whatever_the_codes_nothing_rare_is_kept(groups: list[tuple[str, int]], visits: int) -> None:
    labels = [label for label, count in groups for _ in range(count)] + [groups[0][0]] * visits
    subjects = np.arange(len(labels))
    subjects[len(labels) - visits :] = len(labels)  # one patient with many visits
    values = pd.Series(labels, dtype=object)
    cells = make_cells(values, DIAGNOSIS, subjects=subjects)
    holders = pd.DataFrame({"label": values, "patient": subjects}).groupby("label")["patient"].nunique()
    assert cells.pools is not None
    own = {label for label, node in zip(cells.labels, cells.pools.nodes, strict=True) if not node}
    assert own == set(holders.index[holders >= 11])
    again = Cells.from_dict(cells.to_dict(), DIAGNOSIS)
    codes = cells.encode(values)
    assert (again.encode(values) == codes).all()
    pooled = pd.Series(subjects).groupby(codes).nunique()
    assert all(n >= 11 for cell, n in pooled.items() if cell >= 0 and not (cells.has_missing and cell == cells.n - 1))
    texts = cells.decode(np.arange(cells.n, dtype=np.int32).repeat(20), np.random.default_rng(1))
    assert again.decode(np.arange(cells.n, dtype=np.int32).repeat(20), np.random.default_rng(1)).equals(texts)
    for text in set(texts.dropna()):
        code = known("icd9cm").read(text)
        assert code is not None
        assert known("icd9cm").is_published(*code)
    assert (cells.encode(texts) == np.arange(cells.n).repeat(20)).all()


def test_pools_need_patients_not_rows() -> None:
    values = pd.Series(["428"] * 20 + ["410"] * 6 + ["411"] * 40, dtype=object)
    subjects = np.concatenate([np.arange(26), np.full(40, 99)])
    pools = pool_codes(values, DIAGNOSIS, subjects=subjects, min_patients=11)
    assert pools is not None
    assert pools.n == 0


def named(name: str, labels: list[str]) -> str:
    found = recognise(name, dict.fromkeys(labels, 5))
    return found.system if found else ""


NUMBERS = [str(number) for number in (*range(410, 415), *range(250, 260), *range(460, 467), *range(520, 530))]
POINTED = [f"{number}.{digit}" for number in (250, 410, 531, 532, 533) for digit in (0, 1, 2, 3, 9)]
LETTERED = [f"{c}.{e}" for c in ("E10", "I20", "J44", "K25", "K26") for e in known("icd10").endings[c]]


def test_a_code_system_is_proposed_only_where_nothing_else_could_be_meant() -> None:
    assert named("diag_1", NUMBERS) == "icd9cm"
    assert named("ward", NUMBERS) == ""  # whole numbers could be anything
    assert named("systolic", POINTED) == ""
    assert named("x", [*POINTED, "V58.61"]) == "icd9cm"
    assert named("procedure_icd9", [*POINTED, "V58.61"]) == ""
    assert named("diagnosis", [*NUMBERS, "flu", "cold", "fever"]) == ""
    assert named("dx", NUMBERS[:15]) == ""
    assert named("x", LETTERED) == "icd10"
    assert named("x", [f"{c}.{e}" for c in ("E11", "I50", "S72") for e in known("icd10cm").endings[c]]) == "icd10cm"
    assert named("room", [f"{letter}{number}" for letter in "ABC" for number in range(10, 30)]) == ""


def test_describe_says_why_it_proposes_a_code_system() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"diag": rng.choice([*NUMBERS, "V57"], 600), "n": ["1", "2"] * 300})
    column = infer_schema(Raw(frame, {}))["diag"]
    assert (column.kind, column.code_system) == ("code", "icd9cm")
    assert "100% of the labels are ICD-9-CM codes" in column.why


def test_only_declared_codes_are_drawn_where_a_person_declared_them() -> None:
    declared = replace(DIAGNOSIS, bounds="declared", categories=("428", "410", "411", "412", "250"))
    labels = [*common("428", "250"), *["410"] * 6, *["411"] * 6]
    cells = cells_of(labels, declared)
    assert drawn(cells, cells.labels.index("other ICD-9-CM 410-414")) == {"410", "411", "412"}
    again = Cells.from_dict(cells.to_dict(), declared)
    assert drawn(again, cells.labels.index("other ICD-9-CM 410-414")) == {"410", "411", "412"}
