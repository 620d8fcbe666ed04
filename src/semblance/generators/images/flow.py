"""Flow matching: a net learns the way from noise to images, and drawing follows it (``nets/images/flow.py``).

Slower to draw from than a GAN, but it leaves out fewer kinds of images, and its one loss goes down steadily. Where
epsilon is promised it begins at a noisy Gaussian, and learns by noisy steps (``nets/private/flow.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FitError, InputError
from semblance.extras import need
from semblance.image_schema import ImageSchema
from semblance.imaging.crowd import Crowd
from semblance.imaging.model import DrawnModel, Mixture, guarantee_of, load_drawn
from semblance.imaging.onlooker import Onlooker
from semblance.imaging.precision import PRECISIONS
from semblance.imaging.told import LABEL, labels_of, names_in, refuse_unknown
from semblance.privacy.ledger import Ledger

if TYPE_CHECKING:
    from semblance.nets.images.flow_learning import Plan
    from semblance.nets.images.flow_net import FlowNet
    from semblance.nets.private.flow import Plan as NoisyPlan
    from semblance.nets.training import Log

SOLVERS = ("euler", "heun", "adams")


@dataclass(frozen=True, slots=True)
class Flow:
    """Flow matching.

    Attributes:
        given: Conditions that the net is told, with commas between; "label" stands for the classes, if there are any.
        kimg: Thousands of images to learn from, counted each time that one is seen. batch: Images of a step.
        learning_rate: At its highest. ema: Weight of the past in the running average of the net, which is what is kept.
        width: Channels of the finest level. blocks: Residual blocks of a level, each way. told: Length of the context.
        fold: Side of the squares of pixels that enter as one; 0 for what suits the size of the images.
        levels: Of the trunk, each half as large as the one before; 0 for what suits the size.
        centre, spread: Of the logit of the times that are learned, which is normal: above 0, more of the late ones.
        drop: Share of images whose labels are hidden in learning, so that the net can also draw without being told.
        pairing: Whether noise and images of a batch are paired so that their ways are short.
        solver: "euler", "heun" or "adams". solver_steps: Of the way from noise to an image.
        guidance: How far labels are exaggerated; above 0 makes caricatures: classes clearer than they are.
        precision: "auto", "float32" or "bfloat16".
        noisy_steps: Where epsilon is promised: steps of DP-SGD. sampled: Chance of each patient to be in one.
        noisy_width: Channels of the finest level then. looks: Noises and times of an image that make up one gradient.
        noisy_rate: Learning rate then, at its highest. reach: Length to which a patient's gradient is cut.
        share: Of the budget for the steps; the rest is for the Gaussian that they begin at.
    """

    name: ClassVar[str] = "flow"
    about: ClassVar[str] = "flow matching: the way from noise to an image; slow to draw, leaves little out"
    extra: ClassVar[str] = "neural"
    private: ClassVar[bool] = True  # charges all it touches: may be used where epsilon is promised

    given: str = LABEL
    kimg: float = 150.0
    batch: int = 64
    learning_rate: float = 0.0025
    ema: float = 0.998
    width: int = 64
    blocks: int = 1
    told: int = 128
    fold: int = 0
    levels: int = 0
    centre: float = 0.0
    spread: float = 1.0
    drop: float = 0.1
    pairing: bool = False
    solver: str = "adams"
    solver_steps: int = 12
    guidance: float = 0.0
    precision: str = "auto"
    noisy_steps: int = 100
    sampled: float = 0.1
    noisy_width: int = 16
    looks: int = 2
    noisy_rate: float = 0.01
    reach: float = 0.1
    share: float = 0.6

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise InputError(f"parameter 'solver' of image generator 'flow' must be one of {', '.join(SOLVERS)}.")
        if self.precision not in PRECISIONS:
            raise InputError(f"parameter 'precision' of image generator 'flow' must be one of {', '.join(PRECISIONS)}.")
        positive = ("kimg", "batch", "learning_rate", "blocks", "told", "spread", "solver_steps", "looks")
        for name in (*positive, "noisy_steps", "noisy_rate", "reach"):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of image generator 'flow' must be above 0.")
        for name in ("width", "noisy_width"):
            if getattr(self, name) < 16 or getattr(self, name) % 16:
                raise InputError(f"parameter {name!r} of image generator 'flow' must be a multiple of 16.")
        if not (0 < self.sampled <= 0.5 and 0 < self.share < 1):
            raise InputError("'sampled' of image generator 'flow' must be above 0 and at most 0.5, 'share' below 1.")
        if not (0 <= self.ema < 1 and 0 <= self.drop < 1):
            raise InputError("parameters 'ema' and 'drop' of image generator 'flow' must be at least 0 and below 1.")
        if min(self.fold, self.levels, self.guidance) < 0:
            raise InputError("'fold', 'levels' and 'guidance' of image generator 'flow' must not be below 0.")

    def refuses(self, schema: ImageSchema) -> str | None:
        """Why it cannot learn such images."""
        return refuse_unknown(self.given, schema)

    def fit(self, train: Images, run: Run) -> DrawnModel:
        """Learn from training images.

        PRIVACY: uses up what is left of `run.ledger.allowance`, charged in parts before each is looked at: a Gaussian
        (``imaging/noisy_gaussian.py``), and noisy steps over Poisson samples of the patients. At most `allowance.cap`
        images of each patient are used (all where it says None); only the class is told. Without an allowance: no
        formal guarantee.

        Raises:
            FitError: there is nothing to learn from, or training diverged.
            BudgetExceeded: nothing is left to spend; nothing was looked at.
            MissingExtra: PyTorch is not installed.
        """
        reason = self.refuses(train.schema)
        if reason or not len(train):
            raise FitError(reason or "there are no training images; check the folder.")
        need("neural", "image generator 'flow'")
        if run.ledger.allowance is None:
            return self._learn(train, run)
        return self._learn_privately(train, run)

    def _learn_privately(self, train: Images, run: Run) -> DrawnModel:
        from semblance.nets.private.flow import learn_noisily

        schema = replace(train.schema, structures=())
        if set(names_in(self.given)) - {LABEL, schema.label}:
            raise FitError("where epsilon is promised only the label is told; leave 'given' at label.")
        plan = self._noisy_plan(schema, run.ledger)
        crowd = Crowd.of(train, most=run.ledger.allowance.cap if run.ledger.allowance is not None else None)
        net, taken, patients = learn_noisily(crowd, schema.shape, plan=plan, run=run)
        if run.gallery is not None:
            onlooker = Onlooker(run.gallery, schema)
            onlooker.see(taken, net.draw(onlooker.labels(), run), [])
        facts = {"patients": float(sum(patients)), "steps": float(taken)}
        notes = () if taken == self.noisy_steps else (f"The time limit stopped learning after {taken} steps.",)
        mixture = Mixture.of_classes(schema, patients)
        return DrawnModel(self.name, schema, net, mixture, notes, facts, {}, guarantee_of(run.ledger))

    def _noisy_plan(self, schema: ImageSchema, ledger: Ledger) -> NoisyPlan:
        from semblance.imaging.noisy_gaussian import Plan as GaussianPlan
        from semblance.nets.private.flow import Plan as NoisyPlan
        from semblance.privacy.sampled import Sampled

        plan = replace(self, width=self.noisy_width)._plan(1, schema)

        def of(rho: float) -> NoisyPlan:
            return NoisyPlan(
                gaussian=GaussianPlan((1 - self.share) * rho),
                training=Sampled.worth(self.share * rho, rate=self.sampled, steps=self.noisy_steps),
                shape=replace(plan.shape(schema.height, schema.width), attention=False),
                told=min(self.told, 32),
                looks=self.looks,
                learning_rate=self.noisy_rate,
                reach=self.reach,
                solver=self.solver,
                solver_steps=self.solver_steps,
            )

        return of(ledger.largest(lambda rho: of(rho).event))

    def _learn(self, train: Images, run: Run) -> DrawnModel:
        from semblance.nets.images.flow_learning import learn

        schema = replace(train.schema, structures=())  # masks are not learned
        labels = labels_of(train, given=self.given)
        onlooker = Onlooker(run.gallery, schema)
        shown = onlooker.labels()

        def see(net: FlowNet, log: Log) -> None:
            onlooker.see(log.step, net.draw(shown, run), log.lines)

        net, log = learn(
            train.unit(),
            labels,
            tuple(len(known) for known in schema.conditions.values()),
            plan=self._plan(len(train), schema),
            run=run,
            see=see if run.gallery else None,
        )
        facts = {"steps": float(log.step), "kimg": log.step * min(self.batch, len(train)) / 1000}
        if log.lines:
            facts["loss"] = log.lines[-1]["loss"]
        notes = (log.note,) if log.note else ()
        return DrawnModel(self.name, schema, net, Mixture.learn(labels), notes, facts, {self.name: log.lines})

    def _plan(self, n: int, schema: ImageSchema) -> Plan:
        from semblance.nets.images.flow import Tuning
        from semblance.nets.images.flow_learning import Plan

        tuning = Tuning(
            learning_rate=self.learning_rate,
            ema=self.ema,
            drop=self.drop,
            centre=self.centre,
            spread=self.spread,
            pairing=self.pairing,
            mirror=schema.mirror,
            precision=self.precision,
        )
        return Plan(
            steps=max(1, round(1000 * self.kimg / min(self.batch, n))),
            batch=self.batch,
            width=self.width,
            fold=self.fold,
            levels=self.levels,
            blocks=self.blocks,
            told=self.told,
            solver=self.solver,
            solver_steps=self.solver_steps,
            guidance=self.guidance,
            tuning=tuning,
        )

    @staticmethod
    def load(folder: Path, schema: ImageSchema) -> DrawnModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            FormatError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "image generator 'flow'")
        from semblance.nets.images.flow_net import FlowNet
        from semblance.nets.private.flow import GAUSSIAN, NoisyFlowNet

        kind = NoisyFlowNet if (folder / GAUSSIAN).is_file() else FlowNet
        return load_drawn(DrawnModel, Flow.name, folder, schema, lambda: kind.load(folder))
