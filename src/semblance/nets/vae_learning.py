"""From training cells to a decoder that is ready to draw: trained, its codes' place found, the columns set right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.alphabet import Alphabet
from semblance.data.boosting import patient_folds
from semblance.data.dependents import find_dependents
from semblance.nets.device import threads
from semblance.nets.latent_sampler import Fitting, mismatch
from semblance.nets.layout import Layout, count_cells, ranks, shares_of
from semblance.nets.training import Log, Watch, train
from semblance.nets.vae import Autoencoder, Decoder, Encoder, Learner, Shape, encode, measure
from semblance.nets.vae_net import Skeleton, VaeNet, calibrate

KEY = "fit/vae"
FOLDS = 10
"""One patient in so many of those that may be learned from is left out, to see when to stop."""
FEWEST = 200
"""With fewer patients none is left out: too few would be left, and too few to see anything by."""
LOOKS, PATIENCE = 25, 5
"""Times that the left-out patients are looked at, and looks without a gain before training stops."""
TIME_FOR_NETS = 0.75
"""Of the time there is, the share that may be spent before the codes' place is looked for."""
MIXTURE_STEPS, MIXTURE_BATCH = 150, 4096
ONE_PART_STEPS = 10
NUMBERS_A_COLUMN = 2
"""Numbers in a code for each column that it tells, at most: more only make it harder to find where codes lie."""
ROWS_A_PART = 50
"""Rows for each part of the mixture of codes, at least."""

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for (``generators/vae.py``).

    Attributes:
        stop: Share of the steps to take, known from another model; None to find out.
    """

    shape: Shape
    beta: float
    steps: int
    batch: int
    learning_rate: float
    parts: int
    min_patients: int
    stop: float | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """A net, the logs of what was trained for it by name, and what was measured."""

    net: VaeNet
    logs: dict[str, Log]
    facts: dict[str, float]


def learn(alphabet: Alphabet, codes: Codes, patients: NDArray[np.int64], *, plan: Plan, run: Run) -> Learned:
    """Train on cells: (n, n_columns). patients: of each row, so that stopping is decided by other patients: (n,).

    On one processor whatever the run allows: with more of them sums are added up in another order, and the same seed
    would no longer give the same bytes.

    Raises:
        FitError: training diverged.
    """
    skeleton = Skeleton(
        alphabet.sizes, find_dependents(codes, alphabet.sizes, patients, min_patients=plan.min_patients)
    )
    told = codes[:, list(skeleton.told)]
    latent = min(plan.shape.latent, NUMBERS_A_COLUMN * told.shape[1])
    plan = replace(plan, shape=replace(plan.shape, latent=latent))
    stretches = [alphabet.cells[at].quantile_cells for at in skeleton.told]
    ordered = [alphabet.cells[at].ordered for at in skeleton.told]
    sizes = [alphabet.sizes[at] for at in skeleton.told]
    if len(np.unique(patients)) < FEWEST:
        unseen = np.zeros(len(told), dtype=bool)
    else:
        unseen = patient_folds(patients, FOLDS, run.seeds(f"{KEY}/folds")) == 0
    with threads(1):
        counts = count_cells(told, sizes)
        shares, order = shares_of(counts), ranks(sizes, counts, ordered)
        auto = _begin(Layout(sizes), shares, order, stretches, plan, run)
        log, average = _train(auto, told[~unseen], told[unseen], plan, run)
        fitted, fitting = _place(average, told[~unseen], plan, run)
        net = VaeNet(skeleton, plan.shape, average.decoder, fitting.mixture)
        facts = _measure(average, fitting, told, unseen, plan, run)
        calibrate(net, shares, run.seeds(f"{KEY}/calibrate"), rows=int(np.clip(3 * len(told), 2048, 16_384)))
    taken = log.best_step or log.step
    facts |= {"steps": float(taken), "stopped_at": taken / plan.steps, "looked_up_columns": len(skeleton.dependents)}
    return Learned(net, {"vae": log, "codes": fitted}, facts)


def _begin(
    layout: Layout,
    shares: NDArray[np.float64],
    order: NDArray[np.float32],
    stretches: list[NDArray[np.int32]],
    plan: Plan,
    run: Run,
) -> Autoencoder:
    encoder = Encoder(layout, torch.from_numpy(order), plan.shape)
    decoder = Decoder(layout, torch.from_numpy(shares.astype(np.float32)), stretches, plan.shape)
    return Autoencoder(encoder, decoder, torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin")))


def _train(auto: Autoencoder, seen: Codes, unseen: Codes, plan: Plan, run: Run) -> tuple[Log, Autoencoder]:
    """Both nets, as they served unseen patients best."""
    stop = max(1, round(plan.steps * (1.0 if plan.stop is None else plan.stop)))
    learner = Learner(auto, seen, beta=plan.beta, learning_rate=plan.learning_rate, stop=stop / plan.steps)
    look = run.seeds.integer(f"{KEY}/look")

    def loss() -> float:
        distortion, rate = measure(learner.average, unseen, torch.Generator().manual_seed(look))
        return distortion + plan.beta * rate

    watch = Watch(loss, every=max(1, plan.steps // LOOKS), patience=PATIENCE)
    log = train(
        learner,
        len(seen),
        steps=stop,
        batch=plan.batch,
        run=run,
        key=f"{KEY}/nets",
        stage="training encoder and decoder",
        minutes=TIME_FOR_NETS * run.max_minutes,
        watch=watch if len(unseen) and plan.stop is None else None,
    )
    return log, learner.average


def _place(average: Autoencoder, seen: Codes, plan: Plan, run: Run) -> tuple[Log, Fitting]:
    """Where the codes of the rows lie."""
    means, spreads = encode(average, seen)
    begin = torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/codes/begin"))
    parts = max(1, min(plan.parts, len(seen) // ROWS_A_PART))
    fitting = Fitting(means, spreads, parts=parts, generator=begin)
    log = train(
        fitting,
        len(seen),
        steps=MIXTURE_STEPS if parts > 1 else ONE_PART_STEPS,
        batch=MIXTURE_BATCH,
        run=run,
        key=f"{KEY}/codes",
        stage="learning where codes lie",
        minutes=(1 - TIME_FOR_NETS) * run.max_minutes,
        log_every=10,
    )
    return log, fitting


def _measure(
    average: Autoencoder, fitting: Fitting, told: Codes, unseen: NDArray[np.bool_], plan: Plan, run: Run
) -> dict[str, float]:
    """The two terms of the ELBO, and how far the codes are from the prior and from the mixture.

    By patients who were left out; where nobody was, by those learned from, and without the distances.
    """
    seeds = run.seeds.within(f"{KEY}/measure")
    noise = torch.Generator().manual_seed(seeds.integer("noise"))
    left_out = bool(unseen.any())
    distortion, rate = measure(average, told[unseen] if left_out else told, noise)
    facts = {"distortion_nats": distortion, "rate_nats": rate}
    if not left_out:
        return facts
    known, others = (_some(average, told[rows], noise) for rows in (~unseen, unseen))
    n = min(len(known) + len(others), 40_000)
    prior = seeds("prior").standard_normal((n, plan.shape.latent), dtype=np.float32)
    facts["prior_mismatch"] = mismatch(known, others, prior, seeds)
    facts["prior_mismatch_repaired"] = mismatch(known, others, fitting.mixture.draw(n, seeds("mixture")), seeds)
    facts["prior_repair_nats"] = fitting.gain(torch.from_numpy(others))
    return facts


def _some(average: Autoencoder, codes: Codes, noise: torch.Generator) -> NDArray[np.float32]:
    """A code for each row, 20,000 at most."""
    means, spreads = encode(average, codes[:20_000])
    return (means + spreads * torch.randn(means.shape, generator=noise)).numpy()
