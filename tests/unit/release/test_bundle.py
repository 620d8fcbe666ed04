"""The release folder: all at once or not at all, and one changed byte is found."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semblance.errors import BundleError, FormatError, InputError
from semblance.evidence import Evidence, Finding, canonical_json
from semblance.release import bundle
from semblance.release.gate import Policy, decide
from semblance.release.manifest import MANIFEST, SIGNATURE, names_in, own_hash, sha256_of
from semblance.release.signing import Signer

POLICY = Policy.load(None)
ALWAYS = ["card.md", "evidence.json", "manifest.json", "policy.toml", "report.html", "schema.toml"]
TABLE_FILES = ["croissant.json", "synthetic.csv", "synthetic.csv-metadata.json"]
TABLE = b"age,death\n61,0\n"
SCHEMA = 'table = "t"\n\n[[column]]\nname = "age"\nkind = "integer"\n'
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
WITH_MODEL = Policy.loads(POLICY.text.replace('releases = ["table"]', 'releases = ["table", "model"]'))


COLUMN = {"name": "age", "edges": [40], "holdout_counts": [3, 897], "synthetic_counts": [8, 892]}


def evidence(*, good: bool = True) -> Evidence:
    """Findings that all meet the default policy, or all miss it."""
    found = []
    for rule in POLICY.rules:
        value = (1.0 if rule.op == ">=" else 0.0) if good else (-1.0 if rule.op == ">=" else 2.0)
        detail = {"columns": [COLUMN]} if rule.finding == "fidelity.marginal.score" else {}
        found.append(Finding(rule.finding, "?", value, value, value, n=900, detail=detail))
    return Evidence(tuple(found), {"charges": []}, {"target": "death", "seed": 7, "semblance": "0.1.0"})


def write_table(folder: Path) -> str:
    (folder / "synthetic.csv").write_bytes(TABLE)
    return "synthetic.csv"


def write_fitted(folder: Path) -> None:
    (folder / "fitted").mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    (folder / "fitted" / "trees.txt").write_text("tree")


def write(
    out: Path,
    *,
    good: bool = True,
    table: Callable[[Path], str] | None = write_table,
    policy: Policy = POLICY,
    signer: Signer | None = None,
) -> Path:
    given = evidence(good=good)
    return bundle.write(
        out,
        evidence=given,
        verdict=decide(given, policy),
        policy=policy,
        schema_text=SCHEMA,
        write_synthetic=table,
        write_model=write_fitted,
        signer=signer,
    )


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


# ── what is in it ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_holds_the_table_and_verifies(tmp_path: Path) -> None:
    out = write(tmp_path / "deep" / "out")
    assert names(out) == sorted([*ALWAYS, *TABLE_FILES])
    assert (out / "synthetic.csv").read_bytes() == TABLE
    bundle.verify(out)


def test_a_refusal_holds_everything_but_the_table(tmp_path: Path) -> None:
    def never(folder: Path) -> str:
        raise AssertionError("the table of a refused release must not even be written")

    out = write(tmp_path / "out", good=False, table=never)
    assert names(out) == ALWAYS
    bundle.verify(out)
    assert json.loads((out / "evidence.json").read_text())["verdict"]["decision"] == "REFUSE"


def test_small_counts_are_blanked_on_the_way(tmp_path: Path) -> None:
    facts = json.loads((write(tmp_path / "out") / "evidence.json").read_text())
    detail = next(f["detail"] for f in facts["findings"] if f["name"] == "fidelity.marginal.score")
    assert detail["columns"][0]["holdout_counts"] == [None, 895]


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert {n: (first / n).read_bytes() for n in names(first)} == {n: (second / n).read_bytes() for n in names(second)}


def test_the_manifest_says_what_decided_and_from_what(tmp_path: Path) -> None:
    manifest = json.loads((write(tmp_path / "out") / "manifest.json").read_text())
    applied = {"name": "open-release", "version": POLICY.version, "sha256": POLICY.sha256}
    assert manifest["policy"] == {**applied, "fixed": None, "changed": None}
    assert manifest["hashes"] == {"synthetic": manifest["files"]["synthetic.csv"]}
    assert manifest["provenance"]["seed"] == 7
    assert sorted(manifest["files"]) == sorted({*ALWAYS, *TABLE_FILES} - {"manifest.json"})


def test_a_verdict_that_does_not_follow_is_never_written(tmp_path: Path) -> None:
    good, bad = evidence(), evidence(good=False)
    with pytest.raises(ValueError, match="does not follow"):
        bundle.write(
            tmp_path / "out",
            evidence=bad,
            verdict=decide(good, POLICY),
            policy=POLICY,
            schema_text="",
            write_synthetic=write_table,
        )
    with pytest.raises(ValueError, match="needs write_synthetic"):
        write(tmp_path / "out", table=None)
    assert names(tmp_path) == []


# ── all at once or not at all ────────────────────────────────────────────────────────────────────────────────────────


def full_disk(folder: Path) -> str:
    (folder / "synthetic.csv").write_bytes(TABLE)
    with Path("/dev/full").open("wb", buffering=0) as stream:
        stream.write(b"x")
    return "synthetic.csv"


def broken_format(folder: Path) -> str:
    (folder / "half.csv").write_bytes(b"age,")
    raise FormatError("synthetic.csv: cannot be written.")


def interrupted(folder: Path) -> str:
    (folder / "half.csv").write_bytes(b"age,")
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("table", "error", "said"),
    [
        (full_disk, InputError, "disk is full"),
        (broken_format, FormatError, "cannot be written"),
        (interrupted, KeyboardInterrupt, None),
    ],
)
def test_whatever_goes_wrong_nothing_half_written_is_left(
    tmp_path: Path, table: Callable[[Path], str], error: type[BaseException], said: str | None
) -> None:
    if table is full_disk and not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    earlier = write(tmp_path / "out", good=False)
    kept = {n: (earlier / n).read_bytes() for n in names(earlier)}
    with pytest.raises(error, match=said):
        write(tmp_path / "out", table=table)
    assert names(tmp_path) == ["out"]
    assert {n: (earlier / n).read_bytes() for n in names(earlier)} == kept
    with pytest.raises(error, match=said):
        write(tmp_path / "new", table=table)
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("code", "said"), [(errno.EACCES, "permission"), (errno.EROFS, "read-only"), (errno.EIO, "choose another folder")]
)
def test_a_folder_that_may_not_be_written_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(code, "no", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=said) as caught:
        write(tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value)


def test_an_earlier_release_comes_back_when_the_last_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write(tmp_path / "out")
    rename = Path.rename

    def fail_once_ready(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError(errno.EIO, "input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once_ready)
    with pytest.raises(InputError):
        write(out, good=False)
    bundle.verify(out)
    assert names(tmp_path) == ["out"]
    assert "synthetic.csv" in names(out)


# ── what it replaces ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_earlier_release_is_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path / "out")
    out = write(tmp_path / "out", good=False)
    assert names(out) == ALWAYS  # the earlier table is gone
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    bundle.verify(write(tmp_path / "out"))


def someones_folder(out: Path) -> None:
    out.mkdir()
    (out / "thesis.txt").write_text("ten years of work")


def someones_manifest(out: Path) -> None:
    out.mkdir()
    (out / "manifest.json").write_text('{"files": {}}')


def release_with_notes(out: Path) -> None:
    write(out)
    (out / "notes.txt").write_text("ten years of work")


def a_file(out: Path) -> None:
    out.write_text("ten years of work")


def a_link(out: Path) -> None:
    target = out.parent.parent / f"{out.parent.name}-elsewhere"
    target.mkdir()
    out.symlink_to(target)


@pytest.mark.parametrize("prepare", [someones_folder, someones_manifest, release_with_notes, a_file, a_link])
def test_what_is_not_ours_is_never_replaced(tmp_path: Path, prepare: Callable[[Path], None]) -> None:
    out = tmp_path / "out"
    prepare(out)
    before = sorted((p.name, p.read_bytes() if p.is_file() else b"") for p in tmp_path.rglob("*"))
    for attempt in (lambda: write(out), lambda: bundle.check_free(out)):
        with pytest.raises(InputError, match="out"):
            attempt()
    assert sorted((p.name, p.read_bytes() if p.is_file() else b"") for p in tmp_path.rglob("*")) == before


# ── tampering ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module", params=["plain", "signed, with its model"])
def released(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("release") / "out"
    return write(out) if request.param == "plain" else write(out, policy=WITH_MODEL, signer=SIGNER)


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_changed_byte_in_any_file_is_found(released: Path, data: st.DataObject) -> None:
    """Even by someone who has no key."""
    path = released / data.draw(st.sampled_from(sorted(names_in(released))))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    try:
        path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
        with pytest.raises(BundleError, match=path.name.replace(".", r"\.")):
            bundle.verify(released)
    finally:
        path.write_bytes(whole)
    bundle.verify(released)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_file_added_removed_renamed_swapped_or_linked_is_found(released: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(names_in(released))))
    path, elsewhere = released / name, released.parent / "elsewhere"
    act = data.draw(st.sampled_from(["add", "nest", "remove", "rename", "swap", "link", "cut", "double"]))
    other = released / data.draw(st.sampled_from(sorted(names_in(released) - {name})))
    whole, others = path.read_bytes(), other.read_bytes()
    added = path.with_name(path.name + ".bak")
    try:
        if act == "add":
            added.write_bytes(whole)
        elif act == "nest":
            added.mkdir()
        elif act == "remove":
            path.unlink()
        elif act == "rename":
            path.rename(added)
        elif act == "swap":
            path.write_bytes(others)
            other.write_bytes(whole)
        elif act == "link":  # to the very same content: the folder must still be all there is
            elsewhere.write_bytes(whole)
            path.unlink()
            path.symlink_to(elsewhere)
        else:
            path.write_bytes(whole[:-1] if act == "cut" else whole + whole)
        if whole != others or act != "swap":
            with pytest.raises(BundleError):
                bundle.verify(released)
    finally:
        if added.is_dir():
            added.rmdir()
        added.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(whole)
        other.write_bytes(others)
    bundle.verify(released)


def test_a_linked_folder_is_found(tmp_path: Path) -> None:
    out = write(tmp_path / "out", policy=WITH_MODEL)
    (out / "model" / "fitted").rename(tmp_path / "fitted")
    (out / "model" / "fitted").symlink_to(tmp_path / "fitted")
    with pytest.raises(BundleError, match=r"model/fitted/trees\.txt is missing; model/fitted was added"):
        bundle.verify(out)


def test_no_byte_of_the_manifest_is_idle(released: Path) -> None:
    path = released / "manifest.json"
    whole = path.read_bytes()
    try:
        for at in range(0, len(whole), 19):
            for changed in (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole[:at] + b" " + whole[at:]):
                path.write_bytes(changed)
                with pytest.raises(BundleError):
                    bundle.verify(released)
    finally:
        path.write_bytes(whole)


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def public_key(tmp_path: Path) -> Path:
    path = tmp_path / "public.pem"
    path.write_bytes(SIGNER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def test_a_signed_release_says_whether_the_signature_was_checked(tmp_path: Path, public_key: Path) -> None:
    out = write(tmp_path / "out", signer=SIGNER)
    unchecked, checked = bundle.verify(out), bundle.verify(out, public_key=public_key)
    assert (unchecked.signed_by, unchecked.signature_checked) == (SIGNER.fingerprint, False)
    assert (checked.signed_by, checked.signature_checked) == (SIGNER.fingerprint, True)
    plain = bundle.verify(write(tmp_path / "plain"))
    assert (plain.signed_by, plain.signature_checked) == (None, False)
    with pytest.raises(BundleError, match="is not signed"):
        bundle.verify(tmp_path / "plain", public_key=public_key)


def test_equal_input_and_key_give_an_equal_signature(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, signer=SIGNER) / SIGNATURE for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_a_folder_can_be_signed_afterwards_and_again(tmp_path: Path, public_key: Path) -> None:
    out = write(tmp_path / "out")
    before = {n: (out / n).read_bytes() for n in names(out) if n != MANIFEST}
    bundle.sign(out, Signer(Ed25519PrivateKey.from_private_bytes(bytes(32))))
    bundle.sign(out, SIGNER)
    assert bundle.verify(out, public_key=public_key).signature_checked
    assert {n: (out / n).read_bytes() for n in names(out) if n not in (MANIFEST, SIGNATURE)} == before
    at_once = write(tmp_path / "at once", signer=SIGNER)
    assert (out / MANIFEST).read_bytes() == (at_once / MANIFEST).read_bytes()


def test_a_changed_folder_is_not_signed(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    (out / "card.md").write_text("all is well")
    with pytest.raises(BundleError, match=r"card\.md was changed"):
        bundle.sign(out, SIGNER)
    assert SIGNATURE not in names(out)


def test_whoever_takes_the_signature_off_must_change_the_manifest_too(tmp_path: Path, public_key: Path) -> None:
    out = write(tmp_path / "out", signer=SIGNER)
    (out / SIGNATURE).unlink()
    with pytest.raises(BundleError, match="is missing"):
        bundle.verify(out)
    manifest = json.loads((out / MANIFEST).read_text()) | {"signed_by": None}
    manifest["sha256"] = own_hash(manifest)
    (out / MANIFEST).write_text(canonical_json(manifest))
    assert bundle.verify(out).signed_by is None
    with pytest.raises(BundleError, match="is not signed"):
        bundle.verify(out, public_key=public_key)


# ── what a forger would do ───────────────────────────────────────────────────────────────────────────────────────────


def rehash(folder: Path) -> None:
    """What a clumsy forger would do: fix every hash, and change nothing else."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {n: sha256_of(folder / n) for n in names_in(folder) - {MANIFEST, SIGNATURE}}
    manifest["sha256"] = own_hash(manifest)
    (folder / "manifest.json").write_text(canonical_json(manifest))


def test_a_missing_and_an_added_file_are_both_named(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    (out / "card.md").unlink()
    (out / "extra.csv").write_text("a")
    with pytest.raises(BundleError, match=r"card\.md is missing; extra\.csv was added"):
        bundle.verify(out)


def spoil_the_evidence(out: Path) -> None:
    facts = json.loads((out / "evidence.json").read_text())
    facts["findings"][3]["low"] = facts["findings"][3]["value"] = -1.0
    (out / "evidence.json").write_text(canonical_json(facts))


def loosen_the_policy(out: Path) -> None:
    text = (out / "policy.toml").read_text().replace("limit = 0.60", "limit = 0.99")
    (out / "policy.toml").write_text(text)


def state_another_verdict(out: Path) -> None:
    facts = json.loads((out / "evidence.json").read_text())
    facts["verdict"]["decision"] = "REFUSE"
    (out / "evidence.json").write_text(canonical_json(facts))


def drop_the_evidence(out: Path) -> None:
    (out / "evidence.json").write_text("{}")


def add_a_table(out: Path) -> None:
    (out / "second.csv").write_text("a")


def remove_the_table(out: Path) -> None:
    (out / "synthetic.csv").unlink()


@pytest.mark.parametrize(
    "tamper",
    [spoil_the_evidence, loosen_the_policy, state_another_verdict, drop_the_evidence, add_a_table, remove_the_table],
)
def test_a_folder_whose_hashes_were_fixed_must_still_follow_from_its_evidence(
    tmp_path: Path, tamper: Callable[[Path], None]
) -> None:
    out = write(tmp_path / "out")
    tamper(out)
    rehash(out)
    with pytest.raises(BundleError):
        bundle.verify(out)


def test_a_table_slipped_into_a_refusal_is_found(tmp_path: Path) -> None:
    out = write(tmp_path / "out", good=False)
    (out / "synthetic.csv").write_bytes(TABLE)
    rehash(out)
    with pytest.raises(BundleError, match="do not match"):
        bundle.verify(out)


def test_what_is_not_a_release_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        bundle.verify(tmp_path / "absent")
    with pytest.raises(BundleError, match="not a release folder"):
        bundle.verify(tmp_path)
    for text in ("", "[]", "null", '{"sha256": 3}', "[" * 200_000):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(BundleError, match="damaged"):
            bundle.verify(tmp_path)
