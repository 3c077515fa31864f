"""Reads Wordfence Intelligence, version 3: one object of some 158 MB, a record for each hole of WordPress.

The form: https://www.wordfence.com/help/wordfence-intelligence/v3-accessing-and-consuming-the-vulnerability-data-feed/.
Its terms want the copyright and the licence shown with each record, and MITRE's beside a CVE.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scanners.components.advisory import ANY, Advisory, Affected, Span
from scanners.components.feed import MAX_REFERENCES, Damage, FeedUnusable, mappings, text_of, texts
from scanners.components.json_stream import DocumentDamaged, records
from scanners.components.versions import Ecosystem

KINDS: Mapping[str, Ecosystem] = {
    "core": Ecosystem.WORDPRESS_CORE,
    "plugin": Ecosystem.WORDPRESS_PLUGIN,
    "theme": Ecosystem.WORDPRESS_THEME,
}
SCORE_LIMIT = 10.0


def wordfence(path: Path, damage: Damage) -> Iterator[Advisory]:
    """Yields the advisories of a file.

    Raises:
        FeedUnusable: it is not there, cut short, or no such file.
    """
    try:
        with path.open(encoding="utf-8") as source:
            for record in records(source):
                advisory = _advisory(record)
                if advisory is None:
                    damage.add("a record without identifier, software, slug or versions")
                else:
                    yield advisory
    except OSError as error:
        raise FeedUnusable(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FeedUnusable(f"{path} is no UTF-8: {error.reason}") from error
    except DocumentDamaged as error:
        raise FeedUnusable(f"{path} is damaged: {error}") from error


def _advisory(record: object) -> Advisory | None:
    if not isinstance(record, dict) or not text_of(record.get("id")) or "software" not in record:
        return None
    listed = [one for one in mappings(record["software"]) if text_of(one.get("type")) in KINDS]
    affected = tuple(one for software in listed if (one := _affected(software)) is not None)
    if len(affected) < len(listed) or not isinstance(record["software"], list):
        return None
    cvss = next(iter(mappings([record.get("cvss")])), {})
    cve = text_of(record.get("cve"))
    author, licence = _terms(record.get("copyrights"))
    return Advisory(
        identifier=text_of(record["id"]),
        title=text_of(record.get("title")),
        affected=affected,
        aliases=(cve,) if cve else (),
        score=_score(cvss.get("score")),
        severity=text_of(cvss.get("rating")).lower(),
        vector=text_of(cvss.get("vector")),
        references=texts(record.get("references"), MAX_REFERENCES),
        informational=record.get("informational") is True,
        author=author,
        licence=licence,
    )


def _affected(software: Mapping[str, Any]) -> Affected | None:
    slug, ranges = text_of(software.get("slug")).lower(), software.get("affected_versions")
    # Written by PHP: a mapping without any key becomes a list.
    written = list(ranges.values()) if isinstance(ranges, dict) else ranges
    if not slug or not isinstance(written, list) or len(mappings(written)) < len(written):
        return None
    spans = tuple(_span(one) for one in mappings(written))
    return Affected(KINDS[text_of(software["type"])], slug, spans, fixed=texts(software.get("patched_versions")))


def _span(written: Mapping[str, Any]) -> Span:
    return Span(
        text_of(written.get("from_version")) or ANY,
        text_of(written.get("to_version")) or ANY,
        low_inclusive=written.get("from_inclusive") is not False,
        high_inclusive=written.get("to_inclusive") is not False,
    )


def _score(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= SCORE_LIMIT:
        return None
    return float(value)


def _terms(copyrights: object) -> tuple[str, str]:
    """Returns whose record it is, and on which terms, each party's one after the other."""
    parties = mappings(list(copyrights.values())) if isinstance(copyrights, dict) else []
    author = "; ".join(notice for party in parties if (notice := text_of(party.get("notice"))))
    licence = " ".join(
        word
        for party in parties
        for word in (text_of(party.get("license"), 2_000), text_of(party.get("license_url")))
        if word
    )
    return author, licence
