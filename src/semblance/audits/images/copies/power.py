"""What the search would have found: copies of training images, planted and changed as a copyist would change them."""

from __future__ import annotations

import numpy as np

from semblance import stats
from semblance.audits.images.copies.tail import RATE, Calibration
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.imaging import planting
from semblance.imaging.matching import Album

HARDER = {"noise": (0.02, 0.10, 0.15), "crop": (0.7, 0.6)}
"""Beyond the usual strength: shares of noise, and of the area that a crop leaves at least."""
_SAID = {
    "same": "as they are",
    "noise": "with noise of a twentieth of the range",
    "flip": "mirrored",
    "shift": "moved by up to a tenth",
    "gamma": "with another gamma",
    "crop": "cropped to four fifths or more",
    "together": "cropped, mirrored, with another gamma and noise",
}
_HOW = (
    "training images by lot, one of a patient, changed and looked up as synthetic images are; found = an alarm at the "
    "same false-alarm rate of 1 %; Clopper–Pearson"
)


def judge(album: Album, train: Images, calibration: Calibration, run: Run, *, n: int) -> tuple[Finding, ...]:
    """Recall of each kind of planted copy, and of all of them together.

    Args:
        train: All that was learned from: where the album leaves patients out, their copies go unseen and count.
        n: Planted copies of a kind, at most one of a patient.
    """
    found, total = [], 0
    pick = _sources(train, n, run)
    source = train.take(pick).unit()
    for name, change in planting.CHANGES.items():
        rng = run.seeds(f"audit/copies/planted/{name}")
        hits = int(calibration.alarms(album.match(change(source, rng))).sum())
        total += hits
        harder = _harder(name, source[: max(1, n // 2)], album, calibration, run)
        found.append(_finding(name, f"Would copies {_SAID[name]} be found?", hits, len(source), harder))
    kinds = len(planting.CHANGES)
    question = "Of all kinds of planted copies together, how many would be found?"
    return (*found, _finding("all", question, total / kinds, len(source), {}))


def unasked(why: str) -> tuple[Finding, ...]:
    """The same findings where too few patients can be asked."""
    names = {name: f"Would copies {said} be found?" for name, said in _SAID.items()}
    names["all"] = "Of all kinds of planted copies together, how many would be found?"
    return tuple(Finding(f"copies.power.{name}", q, status="underpowered", why=why) for name, q in names.items())


def _sources(train: Images, n: int, run: Run) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    order = run.seeds("audit/copies/sources").permutation(len(train))
    _, first = np.unique(train.patients[order], return_index=True)
    return np.asarray(order[np.sort(first)][:n], dtype=np.int64)


def _harder(
    name: str, source: planting.Pixels, album: Album, calibration: Calibration, run: Run
) -> dict[str, list[float]]:
    """Recall at other strengths, for the curve."""
    strengths = HARDER.get(name, ())
    recall = []
    for strength in strengths:
        rng = run.seeds(f"audit/copies/planted/{name}/{strength}")
        changed = (
            planting.noise(source, rng, share=strength)
            if name == "noise"
            else planting.crop(source, rng, least=strength)
        )
        recall.append(float(calibration.alarms(album.match(changed)).mean()))
    return {"strengths": list(strengths), "recall": recall} if strengths else {}


def _finding(name: str, question: str, hits: float, n: int, detail: dict[str, list[float]]) -> Finding:
    low, high = stats.clopper_pearson(hits, n)
    return Finding(
        f"copies.power.{name}",
        question,
        value=hits / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        direction="higher",
        baseline=RATE,
        method=_HOW if name != "all" else f"{_HOW}, n = patients, as if each were found in one kind",
        detail=detail,
    )
