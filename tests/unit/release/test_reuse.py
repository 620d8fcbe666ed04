"""Releases that were judged by the same held-out patients are counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semblance.evidence import canonical_json
from semblance.release.manifest import write_manifest
from semblance.release.reuse import earlier_uses

KNOWN = {"source": {"fingerprint": "a"}, "hashes": {"split": "b"}, "holdout": {"uses": 3}}


def test_a_release_of_the_same_source_and_split_counts_on(tmp_path: Path) -> None:
    assert earlier_uses(tmp_path / "new", source="a", split="b") == 0
    assert earlier_uses(tmp_path, source="a", split="b") == 0
    write_manifest(tmp_path, {"provenance": KNOWN})
    assert earlier_uses(tmp_path, source="a", split="b") == 3
    assert earlier_uses(tmp_path, source="a", split="other patients") == 0
    assert earlier_uses(tmp_path, source="another table", split="b") == 0


@pytest.mark.parametrize("missing", list(KNOWN))
def test_a_release_that_does_not_say_counts_for_nothing(tmp_path: Path, missing: str) -> None:
    write_manifest(tmp_path, {"provenance": {k: v for k, v in KNOWN.items() if k != missing}})
    assert earlier_uses(tmp_path, source="a", split="b") == 0


def test_a_count_that_was_changed_by_hand_is_not_believed(tmp_path: Path) -> None:
    write_manifest(tmp_path, {"provenance": KNOWN})
    said = json.loads((tmp_path / "manifest.json").read_text())
    said["provenance"]["holdout"]["uses"] = 0
    (tmp_path / "manifest.json").write_text(canonical_json(said))
    assert earlier_uses(tmp_path, source="a", split="b") == 0  # and check_free refuses to replace such a folder
