"""Feeds as no publisher would write them: whatever stands in a record, reading goes on."""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.components.feed import Damage
from scanners.components.osv import osv
from scanners.components.wordfence import wordfence
from tests.fakes.feeds import osv_record, wordfence_record

NONSENSE = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9), st.just([])),
    *(st.just({}), st.just([None, 1, "a", {}]), st.just({"a": None}), st.just([[[]]])),
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a record, the record itself left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in ((*path, key), *places_in(one, (*path, key)))]


def with_nonsense(record: dict[str, Any], place: tuple[Any, ...], nonsense: object) -> dict[str, Any]:
    """A record in which one place holds something else."""
    changed: dict[str, Any] = json.loads(json.dumps(record))
    target: Any = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = nonsense
    return changed


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(places_in(wordfence_record())), NONSENSE)
def test_wordfence_record_with_nonsense_anywhere_stops_nothing(place: tuple[Any, ...], nonsense: object) -> None:
    """The record after it is read, and it itself is read or counted as damaged, or names no component."""
    with tempfile.TemporaryDirectory() as folder:
        path, damage = Path(folder) / "feed.json", Damage()
        path.write_text(
            json.dumps({"a": with_nonsense(wordfence_record(), place, nonsense), "b": wordfence_record()})
        )

        found = list(wordfence(path, damage))

    assert found[-1].affected[0].name == "shop"
    assert len(found) + damage.records == 2


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(places_in(osv_record(versions=("1.0",), aliases=("CVE-1",)))), NONSENSE)
def test_osv_record_with_nonsense_anywhere_stops_nothing(place: tuple[Any, ...], nonsense: object) -> None:
    """Likewise."""
    record = osv_record(versions=("1.0",), aliases=("CVE-1",))
    with tempfile.TemporaryDirectory() as folder:
        path, damage = Path(folder) / "all.zip", Damage()
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.json", json.dumps(with_nonsense(record, place, nonsense)))
            archive.writestr("b.json", json.dumps(osv_record("acme/other")))

        found = list(osv(path, damage))

    assert found[-1].affected[0].name == "acme/other"
