"""Do synthetic images, as a set, look like real ones? Distances between sets, each beside that between real sets.

Every space must first notice what was done to spoilt real images; one that does not has no say. Neither space knows
what a picture means, and no distance here is a verdict.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding, Status
from semblance.image_contracts import Examined, ImageComparison
from semblance.imaging.frechet import frechet, frechet_at_infinity, kernel, kernel_distance
from semblance.imaging.manifold import likeness
from semblance.imaging.spaces.ladder import Ladder, climb
from semblance.imaging.spaces.looks import RAW, Looks

Floats = NDArray[np.float64]

FEWEST = 100
MEASURES = ("precision", "recall", "density", "coverage")
_SEEN = {"pixels": "in blurred pixels", "random": "through random filters"}
_ASKED = {
    "ladder": "Does the space notice what was done to spoilt real images?",
    "frechet": "How much farther from training images are synthetic images than real ones, as a distribution?",
    "kid": "How far from training images are synthetic images, kernel by kernel?",
    "kid_p": "Could the synthetic images come from where the held-out images come from?",
    "precision": "Do synthetic images lie among real ones, compared with other real ones?",
    "recall": "Do real images lie among the synthetic ones, compared with other real ones?",
    "density": "Do synthetic images lie where real ones are dense, compared with other real ones?",
    "coverage": "Is there a synthetic image beside each real one, compared with other real ones?",
}


@dataclass(frozen=True, slots=True)
class ImageLikeness:
    """Fréchet and kernel distances, precision, recall, density and coverage, in two spaces.

    Attributes:
        most: Most images of a set. components: Most dimensions of a space; at most a tenth of the images.
        replicates: Bootstrap samples, by patient. permutations: Relabellings behind a p.
    """

    name: ClassVar[str] = "likeness"
    asks: ClassVar[str] = "Do synthetic images look like real ones, as a set?"

    most: int = 1_500
    components: int = 32
    replicates: int = 100
    permutations: int = 400

    def judge(self, comparison: ImageComparison, run: Run) -> Examined:
        """PRIVACY: findings are of real patients and covered by no epsilon."""
        least = min(comparison.train.n_patients // 2, comparison.held.n_patients, len(comparison.fake))
        if least < FEWEST:
            why = (
                f"distances between sets need {2 * FEWEST} training and {FEWEST} held-out patients, and {FEWEST} images"
            )
            return Examined(tuple(_blank(space, name, "underpowered", why) for space in RAW for name in _ASKED))
        most = self.most // (4 if run.quick else 1)
        train = comparison.train
        lot = run.seeds("audit/likeness/basis")
        basis = stats.sample_patients(train.patients, len(train) // 2, lot)
        rest = train.take(np.setdiff1d(np.arange(len(train)), basis))
        n = min(most, len(rest), len(comparison.held), len(comparison.fake))
        parts = {
            who: images.take(stats.sample_patients(images.patients, n, run.seeds(f"audit/likeness/{who}")))
            for who, images in (("train", rest), ("held", comparison.held), ("fake", comparison.fake))
        }
        parts["basis"] = train.take(basis[: self.most])
        return Examined(tuple(f for space in RAW for f in self._space(space, parts, run)))

    def _space(self, name: str, parts: dict[str, Images], run: Run) -> tuple[Finding, ...]:
        raw, even = RAW[name]
        held, shown = parts["held"], {who: parts[who] for who in ("train", "held", "fake")}
        # From other training patients than those compared with: what was fitted to them would leave less of them over.
        basis = parts["basis"].unit()
        space = Looks.learn(raw, basis, components=min(self.components, len(held) // 10), even=even)
        sets = {who: space.of(images.unit()) for who, images in shown.items()}
        label = held.schema.label
        classes = held.codes(label) if held.schema.classes and (held.codes(label) >= 0).all() else None
        ladder = climb(space, sets["train"], held.unit(), classes, run.seeds(f"audit/likeness/{name}/ladder"))
        climbed = _climbed(name, ladder, held.n_patients)
        if ladder.failed:
            why = f"this space does not notice {' or '.join(ladder.failed)} in real images, and so may not judge"
            return (climbed, *(_blank(name, asked, "skipped", why) for asked in _ASKED if asked != "ladder"))
        middle = sets["train"].mean(axis=0)
        scale = float(np.sqrt(((sets["train"] - middle) ** 2).mean()))
        scaled = {who: (points - middle) / scale for who, points in sets.items()}
        n = held.n_patients
        return (
            climbed,
            self._frechet(name, sets, shown, run),
            *self._kernel(name, scaled, shown, run),
            *_overlap(name, sets, n),
        )

    def _frechet(self, space: str, sets: dict[str, Floats], parts: dict[str, Images], run: Run) -> Finding:
        rng = run.seeds(f"audit/likeness/{space}/frechet")
        value = frechet(sets["train"], sets["fake"]) / frechet(sets["train"], sets["held"])
        rows = {who: _resamples(images, self.replicates, rng) for who, images in parts.items()}
        drawn = [{who: sets[who][rows[who][i]] for who in sets} for i in range(self.replicates)]
        logs = np.log([frechet(d["train"], d["fake"]) / frechet(d["train"], d["held"]) for d in drawn])
        found = stats.normal_interval(float(np.log(value)), logs)
        endless = {who: frechet_at_infinity(sets["train"], sets[who], rng) for who in ("fake", "held")}
        return Finding(
            f"likeness.{space}.frechet",
            _question("frechet", space),
            value=value,
            low=float(np.exp(found.low)),
            high=float(np.exp(found.high)),
            n=parts["held"].n_patients,
            unit="ratio",
            direction="lower",
            baseline=1.0,
            method=f"Fréchet distance to {len(sets['train'])} training images over that of held-out images, "
            f"{sets['held'].shape[1]} components; spread of the logarithm over bootstrap samples of patients; "
            "extrapolated to endless many images in the detail (Chong and Forsyth 2020)",
            detail={"infinite": endless["fake"], "infinite_floor": endless["held"]},
        )

    def _kernel(
        self, space: str, sets: dict[str, Floats], parts: dict[str, Images], run: Run
    ) -> tuple[Finding, Finding]:
        rng = run.seeds(f"audit/likeness/{space}/kernel")
        found = {who: _kernel_distance(sets["train"], sets[who]) for who in ("fake", "held")}
        blocks = [
            _kernel_distance(sets["train"][a], sets["fake"][b])
            for a, b in zip(*(_blocks(parts[who], 10, rng) for who in ("train", "fake")), strict=True)
        ]
        half = 2.262 * float(np.std(blocks, ddof=1)) / np.sqrt(len(blocks))  # Student's t, nine degrees of freedom
        both = np.concatenate([sets["held"], sets["fake"]])
        pooled, first = kernel(both, both), np.arange(len(both)) < len(sets["held"])
        owner = np.concatenate([parts["held"].patients, parts["held"].n_patients + parts["fake"].patients])
        seen = kernel_distance(pooled, first)
        others = [kernel_distance(pooled, _relabel(owner, first, rng)) for _ in range(self.permutations)]
        reached = int((np.array(others) >= seen).sum())
        low, high = stats.clopper_pearson(reached, self.permutations)
        p = (1 + reached) / (1 + self.permutations)
        n = parts["held"].n_patients
        how = "squared maximum mean discrepancy without bias, cubic kernel (Bińkowski et al. 2018)"
        return (
            Finding(
                f"likeness.{space}.kid",
                _question("kid", space),
                value=found["fake"],
                low=found["fake"] - half,
                high=found["fake"] + half,
                n=n,
                unit="KID",
                direction="lower",
                baseline=found["held"],
                method=f"{how}, to training images; interval from ten blocks of patients; beside it, held-out images",
            ),
            Finding(
                f"likeness.{space}.kid_p",
                _question("kid_p", space),
                value=p,
                low=min(low, p),
                high=max(high, p),
                n=n,
                unit="p",
                direction="higher",
                baseline=0.5,
                method=f"{how}, between synthetic and held-out images, against {self.permutations} relabellings of "
                "patients; (1 + b) / (1 + m), interval = its own Monte Carlo error",
            ),
        )


def _overlap(space: str, sets: dict[str, Floats], n: int) -> tuple[Finding, ...]:
    size = min(map(len, sets.values()))
    real = sets["train"][:size]
    ours, floor = (asdict(likeness(real, sets[who][:size])) for who in ("fake", "held"))
    return tuple(
        Finding(
            f"likeness.{space}.{name}",
            _question(name, space),
            value=ours[name] / max(floor[name], 1 / size),
            n=n,
            unit="ratio",
            direction="higher" if name != "density" else "target",
            baseline=1.0,
            method=f"{name} of {size} synthetic images among as many training images, over that of as many held-out "
            "ones; fifth neighbours (Kynkäänniemi et al. 2019; Naeem et al. 2020); no interval",
            detail={"value": ours[name], "floor": floor[name]},
        )
        for name in MEASURES
    )


def _climbed(space: str, ladder: Ladder, n: int) -> Finding:
    return Finding(
        f"likeness.{space}.ladder",
        _question("ladder", space),
        value=1 - len(ladder.failed) / len(ladder.rungs),
        n=n,
        unit="share",
        direction="higher",
        baseline=1.0,
        method="Fréchet distance of held-out images from training images must rise, step by step, when they are "
        "blurred, made noisy, half of them repeated, or robbed of a class; otherwise the space may not judge",
        detail={"floor": ladder.floor, **{name: list(found) for name, found in ladder.rungs.items()}},
    )


def _kernel_distance(a: Floats, b: Floats) -> float:
    both = np.concatenate([a, b])
    return kernel_distance(kernel(both, both), np.arange(len(both)) < len(a))


def _resamples(images: Images, replicates: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    weights = stats.patient_weights(images.patients, replicates, rng).astype(np.int64)
    return [np.repeat(np.arange(len(images)), weights[:, i]) for i in range(replicates)]


def _blocks(images: Images, many: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Rows of whole patients, dealt into so many blocks."""
    numbers, code = np.unique(images.patients, return_inverse=True)
    hand = (rng.permutation(len(numbers)) % many)[code]
    return [np.flatnonzero(hand == block) for block in range(many)]


def _relabel(owner: NDArray[np.int64], first: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Patients dealt anew to the two sides, as many as before."""
    numbers, code = np.unique(owner, return_inverse=True)
    side = np.zeros(len(numbers), dtype=bool)
    side[code[first]] = True
    return np.asarray(rng.permutation(side)[code])


def _question(name: str, space: str) -> str:
    return f"{_ASKED[name][:-1]}, {_SEEN[space]}?"


def _blank(space: str, name: str, status: Status, why: str) -> Finding:
    return Finding(f"likeness.{space}.{name}", _question(name, space), status=status, why=why)
