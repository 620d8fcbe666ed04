"""Could a classifier learn the diagnosis from something that is not the disease: a site, a border, a mark?

Probes that see only what should not matter are asked for the label; every patch is asked by itself, and once more for
what its surroundings do not foretell; what is known beside the label is placed by how well it can be read off the image
and how much it tells of the label (Drenkow et al. 2025, G-AUDIT, arXiv 2503.09969). A probe above chance is a reason to
look, no proof: a disease may show at the border, too. Silence is no proof either: what is as large as a patch, moves
about, or is as smooth as anatomy may escape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.audits.images.shortcut.beside import MOST_LABELS, read_beside
from semblance.audits.images.shortcut.following import Limits, follow, pixels
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import Examined, ImageComparison, Plate
from semblance.shifting import views
from semblance.shifting.cohort import FEW, known, one_image_each
from semblance.shifting.odd import Odd, count_odd
from semblance.shifting.patches import Scan, scan
from semblance.shifting.plates import heat_maps, risk_plot
from semblance.shifting.probe import HOW, Asked, interval, probe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROBES: dict[str, tuple[Callable[[Images], Floats], str]] = {
    "border": (views.border, "the outermost pixels alone"),
    "histogram": (views.histogram, "how much of the image is how bright, not where"),
    "surround": (views.surround, "everything but the middle of the image, or but what its mask marks"),
}
_SCANNED = (
    "each patch of a grid probed by itself; family-wise p value from the largest of all patches under each relabelling "
    "(Westfall and Young 1993); interval of its Monte Carlo error"
)
_COUNTED = (
    "what a ring around a patch does not foretell (least trimmed squares), six times its median size; the label and "
    "the patch with the largest excess; Newcombe interval, Bonferroni over all patches and labels"
)
_ASKS = {
    "patch": "Does any one place of the image tell the label? A small p means yes; disease does so, too.",
    "mark": "Does any one place tell the label by what its surroundings do not foretell, as a mark written into the "
    "image would? A small p means yes.",
    "odd": "In how many more images of one label than of the others does one place hold what nothing around foretells?",
}


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Probes, patch scan, swap test, amplification.

    Attributes:
        most: Patients looked at, at most. times: Relabellings.
    """

    name: ClassVar[str] = "shortcut"
    asks: ClassVar[str] = "Could a classifier learn the diagnosis from something that is not the disease?"

    most: int = 2_000
    times: int = 499

    def judge(self, comparison: ImageComparison, run: Run) -> Examined:
        """Judge the real images of `train`, by their class, or without classes by their site. The mark that is
        found there is then looked for in the others.

        Privacy: computed on real patients, covered by no epsilon. The plates show no image.
        """
        most, times = (self.most // 2, 199) if run.quick else (self.most, self.times)
        schema = comparison.train.schema
        label = schema.label if schema.classes else "site"
        if label not in schema.conditions:
            why = "nothing says which class or site an image is of; name the place of its label"
            return Examined((Finding("shortcut.mark.p", _ASKS["mark"], status="skipped", why=why),))
        one = _labelled(comparison.train, label, most, run.seeds("shortcut/train"))
        if one is None:
            why = f"fewer than two labels with {FEW} patients each"
            return Examined((Finding("shortcut.mark.p", _ASKS["mark"], status="underpowered", why=why),))
        images, codes = one
        asked = Asked.deal(codes, run.seeds("shortcut/folds"))
        run.progress("judging · probing parts of the images", 0, 3)
        found = _probed(images, asked, times, run)
        run.progress("judging · probing patch by patch", 1, 3)
        scans = _scanned(images, asked, times, run)
        run.progress("judging · reading what else is known", 2, 3)
        attributes, points = read_beside(images, label, codes, times, run)
        odd = count_odd(views.small(images), codes)
        followed = follow(scans["mark"], odd, images, asked, comparison, Limits(label, most), run)
        told = (*found, *_told(scans, len(images)), _counted(odd, images, label), *followed, *attributes)
        return Examined(told, _plates(scans, points))


def _labelled(images: Images, condition: str, most: int, rng: np.random.Generator) -> tuple[Images, Ints] | None:
    """One image of each patient whose label is known and common enough; None where there are no two such labels."""
    drawn = one_image_each(images.take(images.codes(condition) >= 0), most, rng)
    keep, codes = known(drawn.codes(condition))
    if codes.max(initial=0) < 1 or codes.max(initial=0) >= MOST_LABELS:
        return None
    return drawn.take(keep), codes


# ── parts of the image ───────────────────────────────────────────────────────────────────────────────────────────────


def _probed(images: Images, asked: Asked, times: int, run: Run) -> tuple[Finding, ...]:
    relabelled = asked.relabelled(times, run.seeds("shortcut/relabelled"))
    results = {name: probe(view(images), asked, relabelled) for name, (view, _) in PROBES.items()}
    whole = probe(views.whole(images), asked, relabelled[:, :0])
    together = dict(zip(results, stats.holm([r.p for r in results.values()]), strict=True))
    found = []
    for name, result in results.items():
        value, low, high = interval(result.scores, asked.codes, run.seeds(f"shortcut/interval/{name}"))
        found.append(
            Finding(
                f"shortcut.{name}.auc",
                f"How well is the label told by {PROBES[name][1]}? 0.5 is a coin toss.",
                value,
                low,
                high,
                n=len(images),
                unit="AUC",
                direction="lower",
                baseline=0.5,
                method=HOW,
                detail={"p": result.p, "holm": float(together[name]), "whole_image": whole.area, "relabellings": times},
            )
        )
    return tuple(found)


# ── patch by patch ───────────────────────────────────────────────────────────────────────────────────────────────────


def _scanned(images: Images, asked: Asked, times: int, run: Run) -> dict[str, Scan]:
    grey = views.small(images)
    return {
        kind: scan(grey, asked, times, run.seeds(f"shortcut/{kind}"), alone=kind == "mark")
        for kind in ("patch", "mark")
    }


def _told(scans: dict[str, Scan], n: int) -> tuple[Finding, ...]:
    found = []
    for kind, result in scans.items():
        low, high = result.p_interval
        detail = {
            "auc": float(result.area.max()),
            "chance_95": float(np.quantile(result.most, 0.95)),
            "place": pixels(result.grid, result.where),
            "places": [pixels(result.grid, place) for place in result.places],
            "grid": result.area.round(4).tolist(),
        }
        method = _SCANNED + ("; pixels less their forecast from a ring around the patch" if kind == "mark" else "")
        found.append(
            Finding(
                f"shortcut.{kind}.p", _ASKS[kind], result.p, min(low, result.p), max(high, result.p), n=n, unit="p",
                direction="higher", baseline=0.05, method=method, detail=detail,
            )
        )  # fmt: skip
    return tuple(found)


def _counted(odd: Odd, images: Images, label: str) -> Finding:
    """At the place where the excess is largest."""
    place = odd.where
    number = int(np.unique(images.codes(label))[odd.label(place)])
    value, low, high = odd.estimate(place)
    return Finding(
        "shortcut.odd.excess", _ASKS["odd"], value, low, high, n=len(images), unit="share", direction="lower",
        baseline=0.0, method=_COUNTED,
        detail={
            "place": pixels(odd.grid, place),
            "places": [pixels(odd.grid, each) for each in odd.places],
            "label": str(images.schema.conditions[label][number]),
        },
    )  # fmt: skip


def _plates(scans: dict[str, Scan], points: dict[str, tuple[float, float]]) -> tuple[Plate, ...]:
    maps = {"anything": scans["patch"].area, "not foretold": scans["mark"].area}
    plates = [
        Plate(
            "shortcut",
            "Where the label is told",
            "Each square is a patch of the image: how well it tells the label by itself (left), and by what its "
            "surroundings do not foretell (right). Disease brightens regions on the left; a mark stands "
            "alone on the right.",
            heat_maps(maps),
        )
    ]
    if points:
        plates.append(
            Plate(
                "shortcut",
                "What else could be learned instead",
                "What is known beside the label: how well it is read off the image, and how much it tells of the label "
                "by itself. What lies in the shaded corner is both, and a shortcut waiting to be taken.",
                risk_plot(points),
            )
        )
    return tuple(plates)
