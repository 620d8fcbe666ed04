from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm
from sklearn.metrics import roc_auc_score

from semblance import stats


class TestShares:
    @pytest.mark.parametrize(("n", "bound"), [(100, 0.0295), (300, 0.0099), (1000, 0.0030), (3000, 0.0010)])
    def test_nothing_in_n_still_leaves_room(self, n: int, bound: float) -> None:
        assert stats.clopper_pearson_upper(0, n) == pytest.approx(bound, abs=5e-5)
        assert stats.clopper_pearson_upper(0, n) == pytest.approx(1 - 0.05 ** (1 / n))

    def test_smallest_n_that_certifies_a_rate(self) -> None:
        assert stats.smallest_n(0.001) == 2_995
        assert stats.smallest_n(0.01) == 299
        for rate in (0.3, 0.05, 0.002):
            n = stats.smallest_n(rate)
            assert stats.clopper_pearson_upper(0, n) <= rate < stats.clopper_pearson_upper(0, n - 1)

    def test_clopper_pearson_of_a_textbook_share(self) -> None:
        low, high = stats.clopper_pearson(1, 10)
        assert (low, high) == (pytest.approx(0.00253, abs=1e-5), pytest.approx(0.44502, abs=1e-5))

    @given(st.integers(1, 400), st.data())
    def test_clopper_pearson_is_never_narrower_than_promised(self, n: int, data: st.DataObject) -> None:
        k = data.draw(st.integers(0, n))
        low, high = stats.clopper_pearson(k, n)
        assert low <= k / n <= high
        from scipy.stats import binom

        if k > 0:
            assert binom.sf(k - 1, n, low) == pytest.approx(0.025, rel=1e-6)
        if k < n:
            assert binom.cdf(k, n, high) == pytest.approx(0.025, rel=1e-6)

    def test_nothing_is_known_from_nothing(self) -> None:
        assert stats.clopper_pearson(0, 0) == (0.0, 1.0)
        assert stats.wilson(0, 0) == (0.0, 1.0)
        assert stats.clopper_pearson_upper(0, 0) == 1.0

    def test_wilson_of_the_paper_of_newcombe(self) -> None:
        # Newcombe (1998), Statistics in Medicine 17:857, table I: 81 of 263 and 15 of 148.
        assert stats.wilson(81, 263) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
        assert stats.wilson(15, 148) == (pytest.approx(0.0624, abs=5e-5), pytest.approx(0.1605, abs=5e-5))

    def test_newcombe_of_the_paper(self) -> None:
        # Newcombe (1998), Statistics in Medicine 17:873, table II, method 10: 56/70 − 48/80 and 9/10 − 3/10.
        assert stats.newcombe(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
        assert stats.newcombe(9, 10, 3, 10) == pytest.approx((0.6, 0.1705, 0.8090), abs=5e-5)

    def test_a_difference_may_be_negative(self) -> None:
        found = stats.newcombe(2, 100, 8, 100)
        assert found.low < found.value < 0

    def test_newcombe_covers_a_scaled_difference(self) -> None:
        rng = np.random.default_rng(5)
        truth = 0.12 - 2 * 0.05
        hits = 0
        for a, b in zip(rng.binomial(300, 0.12, 1000), rng.binomial(300, 0.05, 1000), strict=True):
            found = stats.newcombe(a, 300, b, 300, scale=2)
            hits += found.low <= truth <= found.high
        assert 0.93 < hits / 1000 < 0.975


class TestPatients:
    def test_a_bootstrap_takes_whole_patients(self) -> None:
        patients = np.array([0, 0, 1, 2, 2, 2])
        weights = stats.patient_weights(patients, 50, np.random.default_rng(0))
        assert weights.shape == (6, 50)
        assert (weights[0] == weights[1]).all()
        assert (weights[3] == weights[5]).all()
        assert (weights[[0, 2, 3]].sum(axis=0) == 3).all()

    def test_a_sample_holds_whole_patients(self) -> None:
        patients = np.repeat(np.arange(100), 3)
        rows = stats.sample_patients(patients, 100, np.random.default_rng(0))
        assert len(rows) == 99
        assert (np.bincount(patients[rows], minlength=100) % 3 == 0).all()
        assert (np.diff(rows) > 0).all()

    def test_a_small_table_is_taken_whole(self) -> None:
        assert stats.sample_patients(np.zeros(5, int), 5, np.random.default_rng(0)).tolist() == [0, 1, 2, 3, 4]
        assert len(stats.sample_patients(np.zeros(9, int), 5, np.random.default_rng(0))) == 9


class TestDistances:
    def test_total_variation_of_the_reference(self) -> None:
        assert stats.total_variation(np.array([50.0, 30, 20]), np.array([40.0, 40, 20])) == pytest.approx(0.10)

    def test_dependence_is_invisible_in_the_margins(self) -> None:
        product, diagonal = np.full(4, 25.0), np.array([50.0, 0, 0, 50])
        assert stats.total_variation(product, diagonal) == pytest.approx(0.5)
        margins = [c.reshape(2, 2).sum(axis=1) for c in (product, diagonal)]
        assert stats.total_variation(*margins) == 0

    def test_kolmogorov_smirnov_of_shifted_normals(self) -> None:
        cuts = np.linspace(-6, 7, 2001)
        for d in (0.0, 0.5, 1.0):
            here, there = np.diff(norm.cdf(cuts)), np.diff(norm.cdf(cuts - d))
            assert stats.kolmogorov_smirnov(here, there) == pytest.approx(2 * norm.cdf(d / 2) - 1, abs=1e-4)

    def test_empty_samples(self) -> None:
        none, some = np.zeros(3), np.ones(3)
        for distance in (stats.total_variation, stats.kolmogorov_smirnov):
            assert distance(none, none) == 0
            assert distance(none, some) == 1

    def test_replicates_are_columns(self) -> None:
        a, b = np.array([[1.0, 3], [3, 1]]), np.array([[1.0, 1], [3, 3]])
        assert stats.total_variation(a, b).tolist() == [0, 0.5]


class TestAreas:
    @given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
    def test_ties_count_half(self, rows: list[tuple[int, bool]]) -> None:
        scores, positive = np.array([float(s) for s, _ in rows]), np.array([p for _, p in rows])
        if positive.all() or not positive.any():
            assert math.isnan(stats.auc(scores, positive))
            return
        expected = roc_auc_score(positive, scores)
        assert stats.auc(scores, positive) == pytest.approx(expected)
        assert stats.auc_replicates(scores, positive, np.ones((len(rows), 2)))[1] == pytest.approx(expected)

    def test_weights_are_repeats(self) -> None:
        rng = np.random.default_rng(0)
        scores, positive = rng.integers(0, 9, 80).astype(float), rng.random(80) < 0.4
        weights = rng.integers(0, 4, (80, 5)).astype(float)
        for j, found in enumerate(stats.auc_replicates(scores, positive, weights)):
            rows = np.repeat(np.arange(80), weights[:, j].astype(int))
            assert found == pytest.approx(roc_auc_score(positive[rows], scores[rows]))

    @pytest.mark.parametrize(("d", "area"), [(0.0, 0.5), (0.5, 0.6382), (1.0, 0.7602)])
    def test_interval_covers_the_area_of_shifted_normals(self, d: float, area: float) -> None:
        """Φ(d/√2); 400 samples of 100 and 60, exact 99.9 % binomial band around 95 %."""
        rng = np.random.default_rng(int(d * 10))
        hits = 0
        positive = np.arange(160) < 100
        for _ in range(400):
            found = stats.auc_interval(np.r_[rng.normal(d, 1, 100), rng.normal(0, 1, 60)], positive)
            hits += found.low <= area <= found.high
        assert 0.91 <= hits / 400 <= 0.985

    def test_repeated_rows_are_not_new_patients(self) -> None:
        rng = np.random.default_rng(4)
        scores, positive = np.r_[rng.normal(0.5, 1, 50), rng.normal(0, 1, 50)], np.arange(100) < 50
        alone = stats.auc_interval(scores, positive)
        tenfold = stats.auc_interval(np.repeat(scores, 10), np.repeat(positive, 10), np.repeat(np.arange(100), 10))
        naive = stats.auc_interval(np.repeat(scores, 10), np.repeat(positive, 10))
        assert tenfold == pytest.approx(alone, abs=1e-3)
        assert naive.high - naive.low < 0.5 * (alone.high - alone.low)

    def test_a_perfect_area_is_not_a_certain_one(self) -> None:
        found = stats.auc_interval(np.arange(20.0), np.arange(20) >= 10)
        assert found.value == 1
        assert found.low < 0.75

    def test_bootstrap_agrees_with_delong(self) -> None:
        rng = np.random.default_rng(8)
        scores, positive = np.r_[rng.normal(1, 1, 200), rng.normal(0, 1, 300)], np.arange(500) < 200
        one = stats.auc_interval(scores, positive)
        two = stats.auc_bootstrap(scores, positive, np.arange(500), rng, replicates=2000)
        assert two == pytest.approx(one, abs=0.006)

    def test_paired_difference_of_a_score_with_itself_is_nothing(self) -> None:
        rng = np.random.default_rng(8)
        scores, positive = rng.normal(size=100), np.arange(100) < 40
        found = stats.paired_bootstrap(scores, scores * 2, positive, np.arange(100), rng)
        assert found == (0, 0, 0)

    def test_paired_difference_is_narrower_than_two_intervals(self) -> None:
        rng = np.random.default_rng(8)
        scores, positive = np.r_[rng.normal(1, 1, 200), rng.normal(0, 1, 300)], np.arange(500) < 200
        found = stats.paired_bootstrap(scores + rng.normal(0, 0.2, 500), scores, positive, np.arange(500), rng)
        whole = stats.auc_interval(scores, positive)
        assert found.low < 0
        assert found.high - found.low < 0.6 * (whole.high - whole.low)

    def test_curve_on_a_grid(self) -> None:
        scores, positive = np.array([4.0, 3, 2, 1]), np.array([True, False, True, False])
        assert stats.roc(scores, positive, np.array([0, 0.25, 0.5, 1.0])).tolist() == [0.5, 0.5, 1.0, 1.0]
        tied = stats.roc(np.zeros(4), positive, np.linspace(0, 1, 5))
        assert tied.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1])

    def test_threshold_keeps_its_rate(self) -> None:
        assert stats.threshold_at(np.arange(98.0), 0.01) == math.inf
        assert stats.threshold_at(np.arange(99.0), 0.01) == 98
        rng = np.random.default_rng(0)
        alarms = [
            float((rng.normal(size=200) > stats.threshold_at(rng.normal(size=250), 0.05)).mean()) for _ in range(500)
        ]
        assert np.mean(alarms) == pytest.approx(0.05, abs=0.004)
        assert np.mean(alarms) <= 0.051


class TestPermutation:
    def test_every_relabelling_of_a_small_table(self) -> None:
        weight, inside = np.array([3.0, 2, 0, 0]), np.array([True, True, False, False])
        found = stats.permutation_p(weight, inside, np.random.default_rng(0))
        assert found == (pytest.approx(1 / 6), pytest.approx(1 / 6), pytest.approx(1 / 6), 6)

    def test_never_zero(self) -> None:
        weight = np.r_[np.ones(50), np.zeros(50)]
        found = stats.permutation_p(weight, weight > 0, np.random.default_rng(0), permutations=999)
        assert found.p == 1 / 1000
        assert found.low == 0

    def test_nothing_to_weigh_is_no_alarm(self) -> None:
        assert stats.permutation_p(np.zeros(60), np.arange(60) < 20, np.random.default_rng(0)).p == 1

    def test_agrees_with_plain_relabelling(self) -> None:
        rng = np.random.default_rng(1)
        weight = rng.poisson(0.4, 200).astype(float)
        inside = np.arange(200) < 140
        plain = np.mean([weight[rng.permutation(200)[:140]].sum() >= weight[inside].sum() for _ in range(4000)])
        assert stats.permutation_p(weight, inside, rng, permutations=4000).p == pytest.approx(plain, abs=0.04)

    @pytest.mark.parametrize("share", [0.5, 0.8])
    def test_uniform_when_labels_mean_nothing(self, share: float) -> None:
        rng = np.random.default_rng(17)
        found = []
        for _ in range(400):
            weight = rng.gamma(0.5, size=120) * (rng.random(120) < 0.6)
            inside = rng.permutation(120) < 120 * share
            found.append(stats.permutation_p(weight, inside, rng, permutations=199).p)
        assert kstest(found, "uniform").pvalue > 0.01


class TestMultiplicity:
    def test_textbook_values(self) -> None:
        p = [0.01, 0.04, 0.03, 0.005]
        assert stats.holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
        assert stats.benjamini_hochberg(p).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
    def test_order_is_kept_and_holm_is_stricter(self, p: list[float]) -> None:
        strict, lenient = stats.holm(p), stats.benjamini_hochberg(p)
        assert (strict >= lenient - 1e-12).all()
        assert (lenient >= np.array(p) - 1e-12).all()
        for i, j in pairwise(np.argsort(p)):
            assert strict[i] <= strict[j]
            assert lenient[i] <= lenient[j] + 1e-12
