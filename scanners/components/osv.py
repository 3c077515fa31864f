"""Reads OSV (https://ossf.github.io/osv-schema/): a folder, or a zip file, with a JSON record for each hole."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scanners.components.advisory import ANY, Advisory, Affected, Span, spans_of_events
from scanners.components.cvss import base_score
from scanners.components.feed import MAX_REFERENCES, Damage, FeedUnusable, mappings, text_of, texts
from scanners.components.versions import Ecosystem

PUBLISHERS: Mapping[str, tuple[str, str]] = {
    "GHSA": ("GitHub Advisory Database", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"),
    "MAL": ("OpenSSF Malicious Packages", "Apache-2.0 https://www.apache.org/licenses/LICENSE-2.0"),
}
"""Whose records begin how, and on what terms: OSV passes them on, and they want to be named."""

MAX_RECORD_BYTES = 8_000_000
MAX_RECORDS = 2_000_000
WORDPRESS = "wordpress"
_WORDPRESS_KINDS: Mapping[str, Ecosystem] = {
    "plugin": Ecosystem.WORDPRESS_PLUGIN,
    "plugins": Ecosystem.WORDPRESS_PLUGIN,
    "wpackagist-plugin": Ecosystem.WORDPRESS_PLUGIN,
    "theme": Ecosystem.WORDPRESS_THEME,
    "themes": Ecosystem.WORDPRESS_THEME,
    "wpackagist-theme": Ecosystem.WORDPRESS_THEME,
}
_CORE = frozenset({"wordpress", "johnpbloch/wordpress-core", "johnpbloch/wordpress", "roots/wordpress"})
_OTHERS: Mapping[str, Ecosystem] = {"packagist": Ecosystem.PACKAGIST, "npm": Ecosystem.NPM}
_EVENTS = ("introduced", "fixed", "last_affected", "limit")


def osv(path: Path, damage: Damage) -> Iterator[Advisory]:
    """Yields the advisories of a folder or a zip file; what was withdrawn, and other ecosystems, are left out.

    Raises:
        FeedUnusable: it is not there, cut short, or neither.
    """
    for name, text in _texts(path, damage):
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            damage.add(f"{name}: {error}")
            continue
        if not isinstance(record, dict) or not text_of(record.get("id")):
            damage.add(f"{name}: no record with an id")
        elif not record.get("withdrawn"):
            advisory = _advisory(record)
            if advisory.affected:
                yield advisory


def _texts(path: Path, damage: Damage) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            yield from _of_folder(path, damage)
        else:
            yield from _of_zip(path, damage)
    except zipfile.BadZipFile as error:
        raise FeedUnusable(f"{path} is damaged or no zip file: {error}") from error
    except OSError as error:
        raise FeedUnusable(f"{path} cannot be read: {error.strerror or error}") from error


def _of_folder(folder: Path, damage: Damage) -> Iterator[tuple[str, bytes]]:
    for number, file in enumerate(sorted(folder.rglob("*.json"))):
        if number >= MAX_RECORDS:
            raise FeedUnusable(f"{folder} holds more than {MAX_RECORDS:,} records")
        try:
            with file.open("rb") as source:
                text = source.read(MAX_RECORD_BYTES + 1)
        except OSError as error:
            damage.add(f"{file.name}: {error.strerror}")
            continue
        if len(text) > MAX_RECORD_BYTES:
            damage.add(f"{file.name}: larger than {MAX_RECORD_BYTES:,} bytes")
        else:
            yield file.name, text


def _of_zip(path: Path, damage: Damage) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_RECORDS:
            raise FeedUnusable(f"{path} holds more than {MAX_RECORDS:,} records")
        for member in members:
            if member.is_dir() or not member.filename.endswith(".json"):
                continue
            with archive.open(member) as source:
                text = source.read(MAX_RECORD_BYTES + 1)
            if len(text) > MAX_RECORD_BYTES:
                damage.add(f"{text_of(member.filename)}: larger than {MAX_RECORD_BYTES:,} bytes")
            else:
                yield text_of(member.filename), text


def _advisory(record: Mapping[str, Any]) -> Advisory:
    specific, identifier = record.get("database_specific"), text_of(record["id"])
    publisher, licence = next(
        (terms for prefix, terms in PUBLISHERS.items() if identifier.startswith(prefix)), ("", "")
    )
    severity = text_of(specific.get("severity")).lower() if isinstance(specific, dict) else ""
    aliases = texts(record.get("aliases"), MAX_REFERENCES)
    vectors = [text_of(one.get("score")) for one in mappings(record.get("severity"))]
    scored = [(score, vector) for vector in vectors if (score := base_score(vector)) is not None]
    score, vector = max(scored) if scored else (None, next(iter(vectors), ""))
    return Advisory(
        identifier=identifier,
        title=text_of(record.get("summary")) or text_of(record.get("details")),
        affected=tuple(one for part in mappings(record.get("affected")) for one in _affected(part)),
        aliases=tuple(sorted(aliases, key=lambda alias: not alias.startswith("CVE-"))),
        score=score,
        severity=severity,
        vector=vector,
        references=tuple(text_of(one.get("url")) for one in mappings(record.get("references"))[:MAX_REFERENCES]),
        author=", ".join(name for name in (publisher, _finders(record)) if name),
        licence=(text_of(specific.get("license")) if isinstance(specific, dict) else "") or licence,
    )


def _finders(record: Mapping[str, Any]) -> str:
    names = [text_of(one.get("name")) for one in mappings(record.get("credits"))[:3]]
    return ", ".join(name for name in names if name)


def _affected(part: Mapping[str, Any]) -> Iterator[Affected]:
    package = part.get("package")
    if not isinstance(package, dict):
        return
    name = text_of(package.get("name")).lower()
    for ecosystem, known_as in _known_as(text_of(package.get("ecosystem")), name):
        spans: list[Span] = []
        fixed: list[str] = []
        for written in mappings(part.get("ranges")):
            if text_of(written.get("type")) in {"SEMVER", "ECOSYSTEM"}:
                found = spans_of_events(ecosystem, _events(written))
                spans += found[0]
                fixed += found[1]
        versions = texts(part.get("versions"))
        if spans or versions:
            yield Affected(ecosystem, known_as, tuple(spans), versions, tuple(fixed))


def _events(written: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (kind, version)
        for event in mappings(written.get("events"))
        for kind in _EVENTS
        if (version := text_of(event.get(kind))) and version != ANY
    ]


def _known_as(ecosystem: str, name: str) -> Iterator[tuple[Ecosystem, str]]:
    """Yields the ecosystems and names by which an inventory knows a package."""
    family = ecosystem.partition(":")[0].lower()
    kind, _, slug = name.rpartition("/")
    if slug and kind in _WORDPRESS_KINDS and (family.startswith(WORDPRESS) or kind.startswith("wpackagist-")):
        yield _WORDPRESS_KINDS[kind], slug
    elif name in _CORE and (family == "packagist" or family.startswith(WORDPRESS)):
        yield Ecosystem.WORDPRESS_CORE, WORDPRESS
    elif family.startswith(WORDPRESS) and slug:
        kinds = [one for word, one in _WORDPRESS_KINDS.items() if word in ecosystem.lower()]
        yield from ((one, slug) for one in dict.fromkeys(kinds or _WORDPRESS_KINDS.values()))
    if family in _OTHERS and name:
        yield _OTHERS[family], name
