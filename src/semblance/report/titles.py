"""What findings, their families and their states are called for a reader who knows no method."""

from __future__ import annotations

from semblance.report.language import ENGLISH, Language

TITLES: dict[str, str] = {
    "validity.rows.share": "Rows that obey every rule of the schema",
    "validity.rules.share": "Rows that obey every rule between columns",
    "validity.columns.match": "Same columns as the source",
    "fidelity.marginal.score": "Each column on its own",
    "fidelity.pair.score": "Pairs of columns",
    "fidelity.triple.score": "Triples of columns",
    "fidelity.c2st.auc": "Told apart by a machine",
    "fidelity.missing.score": "Pattern of missing values",
    "fidelity.map.overlap": "Overlap on the map",
    "fidelity.visits.difference": "Rows per patient",
    "utility.tstr.auc": "Model learned from synthetic patients",
    "utility.trtr.auc": "Model learned from real patients",
    "utility.gap.auc": "What is lost by learning from synthetic",
    "utility.tstr.r2": "Model learned from synthetic patients",
    "utility.trtr.r2": "Model learned from real patients",
    "utility.gap.r2": "What is lost by learning from synthetic",
    "copies.exact.excess": "Exact copies beyond chance",
    "copies.near.excess": "Near copies beyond chance",
    "copies.rare.excess": "Rare values repeated beyond chance",
    "copies.text.excess": "Long texts repeated beyond chance",
    "copies.patients.excess": "Patients with a row repeated beyond chance",
    "copies.outliers.excess": "Isolated patients repeated beyond chance",
    "copies.groups.excess": "Near copies beyond chance, worst group",
    "copies.nearest.share": "Pull towards its own patients",
    "copies.nearest.p": "Pull towards its own patients: chance of this under innocence",
    "copies.tail.p": "Closest rows: chance of this under innocence",
    "membership.distance.auc": "Guessing membership by distance",
    "membership.distance.tpr_at_fpr_1pct": "Members found by distance at 1 % false alarms",
    "membership.density.auc": "Guessing membership by density",
    "membership.density.tpr_at_fpr_1pct": "Members found by density at 1 % false alarms",
    "membership.distance.outliers.auc": "Guessing membership by distance, isolated patients",
    "membership.distance.groups.auc": "Guessing membership by distance, worst group",
    "membership.density.outliers.auc": "Guessing membership by density, isolated patients",
    "membership.density.groups.auc": "Guessing membership by density, worst group",
    "membership.shadow.auc": "Guessing membership with shadow models",
    "membership.shadow.outliers.auc": "Guessing membership with shadow models, isolated patients",
    "membership.shadow.groups.auc": "Guessing membership with shadow models, worst group",
    "membership.shadow.tpr_at_fpr_10pct": "Members found with shadow models at 10 % false alarms",
    "membership.shadow.tpr_at_fpr_1pct": "Members found with shadow models at 1 % false alarms",
    "membership.shadow.tpr_at_fpr_01pct": "Members found with shadow models at 0.1 % false alarms",
    "singling_out.univariate.advantage": "Singling out a patient by one column",
    "singling_out.multivariate.advantage": "Singling out a patient by several columns",
    "singling_out.outliers.advantage": "Singling out isolated patients",
    "singling_out.groups.advantage": "Singling out, worst group",
    "linkage.declared.advantage": "Linking what two parties know of a patient",
    "linkage.random.advantage": "Linking two random halves of a record",
    "linkage.outliers.advantage": "Linking isolated patients",
    "linkage.groups.advantage": "Linking, worst group",
    "inference.worst.advantage": "Guessing a secret, the most exposed column",
    "inference.outliers.advantage": "Guessing a secret of isolated patients",
    "inference.groups.advantage": "Guessing a secret, worst group",
    "inference.disco.share": "Secrets that the synthetic table discloses and gets right (DiSCO)",
    "inference.repu.share": "Unique patients that are unique in the synthetic table too (RepU)",
    "reconstruction.rows.excess": "Pieces of rows in the model",
    "reconstruction.strings.excess": "Texts of single patients in the model",
    "reconstruction.strings.share": "Rare labels in the model",
    "reconstruction.numbers.excess": "Numbers of single patients in the model",
    "reconstruction.extremes.excess": "Smallest and largest values in the model",
    "reconstruction.size.nats": "Room in the model for each patient",
    "source.unique.share": "Real patients who stand alone",
    "source.k.minimum": "Smallest group of look-alikes",
    "source.l.minimum": "Fewest different secrets in a group of look-alikes",
    "source.t.maximum": "Distance of a group's secrets from everyone's",
    "source.homogeneous.share": "Real patients whose look-alikes share their secret",
    "source.prosecutor.risk": "Risk from a prosecutor",
    "source.journalist.risk": "Risk from a journalist",
    "source.marketer.risk": "Risk from a marketer",
    "source.population_unique.share": "Real patients alone in the population",
    "source.identifiers.count": "Columns that name a person",
    "source.text.count": "Columns of free text",
    "canaries.epsilon": "Largest ε that made-up patients refute",
    "canaries.excess": "How far made-up patients refute the promised ε",
    "canaries.repeats": "Noise that comes again with the seed",
    "power.best.leak": "Smallest leak seen by any attack",
    "power.copies.leak": "Smallest leak seen by the search for copies",
    "power.distance.leak": "Smallest leak seen by distance",
    "power.density.leak": "Smallest leak seen by density",
    "power.shadow.leak": "Smallest leak seen with shadow models",
    "power.singling_out.leak": "Smallest leak seen by singling out",
    "power.linkage.leak": "Smallest leak seen by linkage",
    "power.inference.leak": "Smallest leak seen by attribute inference",
    "privacy.epsilon": "The promised ε",
    "privacy.uncharged.count": "Looks at patients without a charge",
    "privacy.delta.patients": "Patients whom δ would allow to be published",
    "protocol.holdout.early": "Held-out patients opened before the table was made",
    "protocol.policy.changed": "Policy changed after the table was made",
}

_NAMED = (("inference.", ".advantage", "Guessing {name}"),)

FAMILIES: dict[str, str] = {
    "protocol": "Did it go by the rules?",
    "privacy": "What is promised?",
    "source": "How exposed are the real patients?",
    "validity": "Is it the same kind of table?",
    "fidelity": "Does it resemble the patients?",
    "utility": "Is it of use?",
    "copies": "Are there copies?",
    "membership": "Can it be told who was in the data?",
    "singling_out": "Can one patient be singled out?",
    "linkage": "Can records be linked?",
    "inference": "Can a secret be guessed?",
    "reconstruction": "Does the model hold patients?",
    "canaries": "Does the promise of privacy hold?",
    "power": "Would the attacks have seen a leak?",
}

ATTACKS: dict[str, str] = {
    "copies": "Copies",
    "membership": "Membership",
    "distance": "Membership by distance",
    "density": "Membership by density",
    "shadow": "Membership by shadow models",
    "singling_out": "Singling out",
    "linkage": "Linkage",
    "inference": "Attribute inference",
    "reconstruction": "Reconstruction from the model",
}

STATUSES: dict[str, str] = {
    "pass": "met",
    "fail": "not met",
    "underpowered": "cannot be shown",
    "not_run": "not measured",
    "not_applicable": "does not apply",
    "withheld": "met, as the board saw",
    "measured": "measured",
    "skipped": "skipped",
}


def title_of(name: str, say: Language = ENGLISH) -> str:
    """The finding in plain words; an unknown one by its own name."""
    if name in TITLES:
        return say(TITLES[name])
    for head, tail, title in _NAMED:
        if name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail):
            return say(title, name=name[len(head) : -len(tail)])
    return say(name.replace("_", " ").replace(".", " · "))


def attack_of(name: str, say: Language = ENGLISH) -> str:
    """An attack as ``power.<attack>.leak`` names it, in plain words."""
    return say(ATTACKS.get(name) or name.replace("_", " ").replace(".", " · "))


def family_of(name: str, say: Language = ENGLISH) -> str:
    """The question that the finding's family asks."""
    family = name.split(".", 1)[0]
    return say(FAMILIES.get(family) or family.replace("_", " ").capitalize())


def status_of(status: str, say: Language = ENGLISH) -> str:
    """How a rule or a finding stands, in a word or two."""
    return say(STATUSES[status]) if status in STATUSES else status
