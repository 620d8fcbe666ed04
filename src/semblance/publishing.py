"""Commands about release folders: keys to sign with, a signature, and the check that anyone can repeat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from semblance.command import FILE, LANG, verb
from semblance.manner import Manner

if TYPE_CHECKING:
    from semblance.release.overrides import Override
    from semblance.release.terms import Terms

Command = TypeVar("Command", bound=Callable[..., Any])


# ── options of `run` ─────────────────────────────────────────────────────────────────────────────────────────────────


def OVERRIDE(command: Command) -> Command:
    """Three options that go together, as often as rules are overridden."""
    for option, metavar, said in (
        ("because", "REASON", "Why that is justified."),
        ("by", "NAME", "Who decides it."),
        ("override", "RULE", "Release although this rule is not met; needs --by and --because."),
    ):
        command = click.option(f"--{option}", multiple=True, metavar=metavar, help=said)(command)
    return command


def TERMS(command: Command) -> Command:
    """What the card says and no measurement can."""
    for option, metavar, said in (
        ("dated", "DAY", "Day of the release, YYYY-MM-DD, for the card."),
        ("expires", "DAY", "Day, YYYY-MM-DD, by which the release must be assessed again."),
        ("contact", "TEXT", "Whom readers of the card may ask."),
    ):
        command = click.option(f"--{option}", default="", metavar=metavar, help=said)(command)
    return command


SIGN_WITH = click.option(
    "--sign-with", type=FILE, metavar="FILE", help="Sign the release with this private key, from `keys new`."
)


def overrides_in(asked: dict[str, Any]) -> tuple[Override, ...]:
    """Take the overrides out of what was asked."""
    from semblance.release.overrides import Override

    rules, people, reasons = (asked.pop(name) for name in ("override", "by", "because"))
    if not len(rules) == len(people) == len(reasons):
        raise click.UsageError("each --override needs its own --by and its own --because.")
    return tuple(Override(*said) for said in zip(rules, people, reasons, strict=True))


def terms_in(asked: dict[str, Any]) -> Terms:
    """Take the terms out of what was asked."""
    from semblance.release.terms import Terms

    return Terms(**{name: asked.pop(name) for name in ("contact", "expires", "dated")})


# ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  semblance keys new -o keys --json",
)
def keys() -> None:
    """Keys to sign releases with."""


@verb("semblance keys new -o keys")
@click.option("-o", "--output", type=FILE, metavar="DIR", default=Path(), help="Folder to write to; default: here.")
@click.pass_obj
def new(manner: Manner, output: Path) -> None:
    """Make a key pair: one file to sign with, which you keep, and one to check with, which you give away."""
    from semblance.release import signing

    private, public = signing.new_keys(output)
    fingerprint = signing.load_signer(private).fingerprint
    manner.tell(
        {"private_key": str(private), "public_key": str(public), "fingerprint": fingerprint},
        f"sign with       {private} (keep it: whoever has it signs in your name)\n"
        f"check with      {public} (give it to whoever gets a release)\n"
        f"fingerprint     {fingerprint}",
    )


keys.add_command(new)


@verb("semblance sign release --key keys/semblance-signing-key.pem")
@click.argument("folder", type=FILE)
@click.option("--key", type=FILE, metavar="FILE", required=True, help="Private key, from `semblance keys new`.")
@click.pass_obj
def sign(manner: Manner, folder: Path, key: Path) -> None:
    """Sign a release FOLDER, once it has been verified; an earlier signature is replaced."""
    from semblance.release import bundle, signing

    signer = signing.load_signer(key)
    bundle.sign(folder, signer)
    text = f"{folder}: signed with the key {signer.fingerprint}."
    manner.tell({"folder": str(folder), "signed_by": signer.fingerprint}, text)


@verb("semblance verify release --public-key keys/semblance-public-key.pem")
@click.argument("folder", type=FILE)
@click.option("--public-key", type=FILE, metavar="FILE", help="The signer's key, got by a way that you trust.")
@click.pass_obj
def verify(manner: Manner, folder: Path, public_key: Path | None) -> None:
    """Check a release FOLDER offline: every file's hash, the signature, and the verdict decided again."""
    from semblance.release import bundle

    found = bundle.verify(folder, public_key=public_key)
    changed = found.verdict.policy["changed"]
    lines = [f"{folder}: every file is as it was written, and the verdict follows from the evidence."]
    lines.append(f"decision        {found.verdict.decision}")
    lines += [f"overridden      {o.rule}, by {o.by}: {o.reason}" for o in found.verdict.overrides]
    if found.signed_by is None:
        lines.append("signature       none: nobody vouches for this folder")
    elif found.signature_checked:
        lines.append(f"signature       by the key that you gave, {found.signed_by}")
    else:
        lines.append(f"signature       not checked: give --public-key; it claims to be by {found.signed_by}")
    said = {True: "changed after the table was made", False: "as written down before the table was made"}
    lines.append(f"policy          {said.get(changed, 'nobody wrote it down before the table was made')}")
    facts = {
        "folder": str(folder),
        "intact": True,
        "decision": found.verdict.decision,
        "tier": found.tier,
        "overrides": found.verdict.to_dict()["overrides"],
        "signed_by": found.signed_by,
        "signature_checked": found.signature_checked,
        "policy_changed": changed,
    }
    manner.tell(facts, "\n".join(lines))


@verb("semblance share release --tier recipient --out for-recipient")
@click.argument("folder", type=FILE)
@click.option("--tier", type=click.Choice(["recipient", "public"]), required=True, help="Whom the folder is for.")
@click.option("--out", type=FILE, metavar="DIR", required=True, help="Folder to write.")
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of report and card; default: that of FOLDER.")
@SIGN_WITH
@click.pass_obj
def share(manner: Manner, folder: Path, tier: str, out: Path, lang: str | None, sign_with: Path | None) -> None:
    """Make a folder for others from a release FOLDER: the table, and only as much evidence as they should see."""
    from semblance.release import signing
    from semblance.release.share import share as share_folder

    signer = None if sign_with is None else signing.load_signer(sign_with)
    made = share_folder(folder, out, tier=tier, language=lang, signer=signer)
    facts = {"folder": str(made), "tier": tier, "signed_by": signer.fingerprint if signer else None}
    manner.tell(facts, f"{made}: for the {tier}; it verifies by itself.")


@verb("semblance report release --lang zh -o report-zh.html")
@click.argument("folder", type=FILE)
@LANG
@click.option("-o", "--output", type=FILE, metavar="FILE", required=True, help="Page to write.")
@click.pass_obj
def report(manner: Manner, folder: Path, language: str, output: Path) -> None:
    """Write the report of a release FOLDER again, from its evidence, once it has been verified.

    The page in the folder stays as it is: what was signed is not touched.
    """
    from semblance.destination import check_new, write_text
    from semblance.release import bundle
    from semblance.report.page import render

    check_new(output)
    found = bundle.verify(folder)
    evidence = bundle.read_back(folder)[0]
    write_text(render(evidence, found.verdict.to_dict(), language=language, tier=found.tier), output)
    facts = {"folder": str(folder), "report": str(output), "language": language, "tier": found.tier}
    manner.tell(facts, f"{output}: the report of {folder}, which is as it was written.")
