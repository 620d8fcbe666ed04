"""Predicates formed from synthetic rows, and whom they single out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.attacks.leak import mix
from semblance.audits.singling_out import SinglingOut
from semblance.audits.singling_out.predicates import ABSENT, TOP, Codebook, Condition, Crowd, univariate, windows
from semblance.audits.singling_out.trial import Game, play
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("change", "number", decimals=3),
    Column("seen", "date"),
    Column("age", "integer"),
    Column("ward", "category"),
    Column("lab", "number", decimals=2),
)


def run_of(seed: int = 3) -> Run:
    return Run(Seeds(seed), Ledger(), Local(1), quick=True)


def patients(n: int, rng: np.random.Generator) -> Dataset:
    """Negative numbers, dates, and a measurement missing for a third."""
    cause = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "change": np.round(cause + rng.normal(size=n), 3),
            "seen": (pd.Timestamp("1969-12-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")).astype(
                "datetime64[us]"
            ),
            "age": np.round(50 + 12 * cause + 8 * rng.normal(size=n)),
            "ward": rng.choice(["a", "b", "c"], n).astype(object),
            "lab": pd.Series(np.round(rng.exponential(size=n), 2)).mask(rng.random(n) < 0.3),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def three(sizes: tuple[int, int, int], seed: int = 0) -> Comparison:
    rng = np.random.default_rng(seed)
    train, held, fake = (patients(n, rng) for n in sizes)
    return Comparison(train, held, replace(fake, origin="synthetic"))


def judged(comparison: Comparison) -> dict[str, Finding]:
    return {f.name.split(".")[1]: f for f in SinglingOut(attacks=2_400).judge(comparison, run_of())}


class TestPredicates:
    COLUMNS = (Column("x", "number"), Column("c", "category"), Column("d", "date"))

    def crowd(self) -> tuple[Codebook, Crowd]:
        frame = pd.DataFrame(
            {
                "x": [-2.5, -0.0, 0.0, np.nan],
                "c": np.array(["p", "p", None, "q"], dtype=object),
                "d": pd.to_datetime(["1960-01-01", "1970-01-01", "1970-01-01", None]).astype("datetime64[us]"),
            }
        )
        data = Dataset(frame, Schema(self.COLUMNS), "synthetic")
        codebook = Codebook.of((data,), self.COLUMNS)
        return codebook, Crowd.of(data, codebook)

    def test_negative_numbers_dates_and_missing_values_are_values(self) -> None:
        _, crowd = self.crowd()
        assert crowd.codes.T.tolist() == [[1, 3, 3, ABSENT], [1, 1, ABSENT, 3], [1, 3, 3, ABSENT]]

    def test_a_number_between_known_ones_is_neither(self) -> None:
        codebook, _ = self.crowd()
        frame = pd.DataFrame(
            {
                "x": [-9.0, -1.0, 7.0],
                "c": np.array(["unheard of", "p", "q"], dtype=object),
                "d": pd.to_datetime(["1950-01-01", "1965-01-01", "1990-01-01"]).astype("datetime64[us]"),
            }
        )
        codes = codebook(Dataset(frame, Schema(self.COLUMNS)))
        assert codes[:, 0].tolist() == [0, 2, 4]
        assert codes[:, 2].tolist() == [0, 2, 4]
        assert codes[0, 1] < ABSENT

    def test_univariate_takes_what_one_patient_alone_holds(self) -> None:
        _, crowd = self.crowd()
        alone = univariate(crowd, self.COLUMNS)
        assert set(alone) == {
            (Condition(0, 1, 1),),  # −2.5
            (Condition(0, 0, 1),),  # and whatever is less
            (Condition(0, ABSENT, ABSENT),),
            (Condition(1, 3, 3),),
            (Condition(1, ABSENT, ABSENT),),
            (Condition(2, 1, 1),),
            (Condition(2, 0, 1),),
            (Condition(2, ABSENT, ABSENT),),
        }

    def test_a_value_that_one_patient_holds_twice_is_held_by_one(self) -> None:
        codebook, crowd = self.crowd()
        one = replace(crowd, patients=np.array([0, 1, 1, 2]), n=3)
        assert (Condition(0, 3, 3),) in univariate(one, self.COLUMNS)
        assert one.matching((Condition(0, 3, 3),)).tolist() == [1]
        assert codebook.columns == self.COLUMNS

    def test_a_window_holds_its_own_value_and_is_open_at_the_ends(self) -> None:
        data = patients(400, np.random.default_rng(1))
        crowd = Crowd.of(data, Codebook.of((data,), COLUMNS))
        low, high = windows(crowd, COLUMNS)
        assert ((low <= crowd.codes) & (crowd.codes <= high)).all()
        change = crowd.codes[:, 0]
        assert low[change.argmin(), 0] == 0
        assert high[change.argmax(), 0] == TOP
        middle = np.argsort(change)[200]
        assert 15 <= ((change >= low[middle, 0]) & (change <= high[middle, 0])).sum() <= 25


class TestTrial:
    def crowds(self, n_members: int, n_others: int, seed: int, levels: int) -> Game:
        """One label with so many levels for each patient."""
        rng = np.random.default_rng(seed)
        sides = [
            Crowd(rng.integers(0, levels, (n, 1)).astype(np.int32), np.arange(n), n) for n in (n_members, n_others)
        ]
        return Game(*sides)

    def test_a_larger_table_is_its_average_over_samples(self) -> None:
        game = self.crowds(30, 10, 0, 5)
        chance = game.chances(game.members)
        rng = np.random.default_rng(1)
        drawn = np.array([(rng.permutation(30)[:10] < 4).sum() for _ in range(20_000)])
        assert chance[4] == pytest.approx((drawn == 1).mean(), abs=0.01)
        assert game.chances(game.others)[:3].tolist() == [0, 1, 0]

    def test_unequal_sides_favour_nobody(self) -> None:
        found = []
        for seed in range(60):
            game = self.crowds(160, 40, seed, 80)
            predicates = [(Condition(0, v, v),) for v in range(80)]
            score = play(game, predicates, np.random.default_rng(seed), permutations=20)
            found.append(score.members - score.others)
        assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))

    def test_ten_predicates_on_the_same_patients_are_one(self) -> None:
        game = self.crowds(300, 300, 4, 300)
        once = [(Condition(0, v, v),) for v in range(300)]
        often = [(Condition(0, v, v), *(Condition(0, -i, TOP),) * i) for v in range(300) for i in range(10)]
        alone, crowded = (play(game, p, np.random.default_rng(0)) for p in (once, often))
        assert crowded.members == pytest.approx(alone.members)
        assert crowded.effective == pytest.approx(alone.effective, rel=0.05)
        assert crowded.p == alone.p

    def test_the_interval_is_not_clipped(self) -> None:
        game = self.crowds(200, 200, 2, 150)
        score = play(game, [(Condition(0, v, v),) for v in range(150)], np.random.default_rng(0))
        low = replace(score, members=0.0, others=0.1).advantage(1.0)
        assert low.low < low.value < low.high < 0


class TestLeaks:
    @pytest.mark.parametrize("sizes", [(600, 600, 600), (960, 240, 960)], ids=["50/50", "80/20"])
    def test_a_planted_leak_is_found_at_its_size(self, sizes: tuple[int, int, int]) -> None:
        found = judged(mix(three(sizes), 0.2, run_of()))
        several = found["multivariate"]
        assert several.detail["p_holm"] < 0.01
        assert several.low > 0  # type: ignore[operator]
        assert several.low < 0.2 < several.high  # type: ignore[operator]
        assert several.detail["weight"] <= several.detail["weight_bound"]

    def test_a_table_of_the_patients_themselves(self) -> None:
        c = three((600, 300, 600))
        found = judged(replace(c, fake=replace(c.train, origin="synthetic")))
        assert found["multivariate"].value > 0.95  # type: ignore[operator]
        assert found["multivariate"].high >= 1 - 1e-9  # type: ignore[operator]
        assert found["outliers"].value > 0.95  # type: ignore[operator]
        assert found["univariate"].value > 0.3  # type: ignore[operator]  # many values are common in the population

    def test_a_near_copy_is_found_too(self) -> None:
        """Each number moved by a hundredth of its spread: no value is the same, every range still holds it."""
        c = mix(three((600, 600, 600)), 0.3, run_of())
        frame = c.fake.frame.copy()
        rng = np.random.default_rng(0)
        for name, by in (("change", 0.01), ("lab", 0.005)):
            frame[name] = frame[name] + rng.normal(0, by, len(frame))
        found = judged(replace(c, fake=replace(c.fake, frame=frame)))
        assert found["multivariate"].low > 0.1  # type: ignore[operator]

    def test_dates_alone_are_enough(self) -> None:
        """What a known tool drops, or stumbles over: a table of dates and one label."""
        columns = (Column("born", "date"), Column("seen", "datetime"), Column("ward", "category"))
        rng = np.random.default_rng(5)

        def table(n: int) -> Dataset:
            born = pd.Timestamp("1920-01-01") + pd.to_timedelta(rng.integers(0, 30_000, n), unit="D")
            seen = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s")
            ward = rng.choice(["a", "b"], n).astype(object)
            made = {"born": born.astype("datetime64[us]"), "seen": seen.astype("datetime64[us]"), "ward": ward}
            return Dataset(pd.DataFrame(made), Schema(columns))

        train, held = table(500), table(500)
        found = judged(Comparison(train, held, replace(train, origin="synthetic")))
        assert found["univariate"].low > 0.8  # type: ignore[operator]
        assert found["multivariate"].low > 0.5  # type: ignore[operator]


def test_rows_of_one_patient_are_one_patient() -> None:
    """Each patient comes three times: were rows counted, nobody could be singled out."""
    c = three((300, 300, 300))
    columns = (Column("id", "code", role="subject", handling="surrogate"), *COLUMNS)

    def thrice(data: Dataset, mark: str) -> Dataset:
        frame = pd.concat([data.frame] * 3, ignore_index=True)
        frame.insert(0, "id", np.array([f"{mark}{i % data.n_rows}" for i in range(len(frame))], dtype=object))
        return Dataset(frame, Schema(columns), data.origin)

    train = thrice(c.train, "t")
    found = judged(Comparison(train, thrice(c.held, "h"), replace(train, origin="synthetic")))
    assert found["multivariate"].value > 0.9  # type: ignore[operator]
    assert found["multivariate"].n == 600


def test_few_descriptions_are_underpowered_and_none_is_said() -> None:
    columns = (Column("a", "boolean"), Column("b", "category"))
    rng = np.random.default_rng(0)

    def table(n: int) -> Dataset:
        frame = pd.DataFrame({"a": rng.choice(["0", "1"], n), "b": rng.choice(["x", "y"], n)}, dtype=object)
        return Dataset(frame, Schema(columns))

    found = judged(Comparison(table(300), table(300), table(300)))
    assert {f.status for f in found.values()} == {"skipped"}
    assert judged(three((300, 300, 60)))["univariate"].status == "underpowered"


def test_a_table_whose_every_row_comes_twice_does_not_pass_unasked() -> None:
    c = three((300, 300, 300))
    twice = Dataset(pd.concat([c.train.frame] * 2, ignore_index=True), c.train.schema, "synthetic")
    found = judged(replace(c, fake=twice))
    assert {f.status for f in found.values()} == {"underpowered"}
