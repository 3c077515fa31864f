"""Records of holes in the true forms of their feeds, written here; nothing of them is anybody's."""

from typing import Any


def wordfence_record(
    slug: str = "shop",
    *,
    identifier: str = "11111111-2222-3333-4444-555555555555",
    kind: str = "plugin",
    low: str = "*",
    high: str = "1.4.2",
    high_inclusive: bool = True,
    patched: tuple[str, ...] = ("1.4.3",),
    cve: str | None = "CVE-2026-0001",
    score: float = 9.8,
    informational: bool = False,
) -> dict[str, Any]:
    """A record of Wordfence Intelligence, version 3."""
    return {
        "id": identifier,
        "title": f"{slug.title()} <= {high} - Unauthenticated SQL Injection",
        "software": [
            {
                "type": kind,
                "name": slug.title(),
                "slug": slug,
                "affected_versions": {
                    f"{low} - {high}": {
                        "from_version": low,
                        "from_inclusive": True,
                        "to_version": high,
                        "to_inclusive": high_inclusive,
                    }
                },
                "patched": bool(patched),
                "patched_versions": list(patched),
                "remediation": "Update to the latest version.",
            }
        ],
        "informational": informational,
        "description": "A parameter is not escaped.",
        "references": [f"https://feed.example/{slug}"],
        "cwe": {"id": 89, "name": "SQL Injection", "description": "…"},
        "cvss": {"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "score": score, "rating": "Critical"},
        "cve": cve,
        "cve_link": f"https://cve.example/{cve}",
        "researchers": ["Nobody"],
        "published": "2026-03-01 00:00:00",
        "updated": "2026-03-02 00:00:00",
        "copyrights": {
            "message": "This record contains material that is subject to copyright",
            "defiant": {
                "notice": "Copyright 2012-2026 Example Inc.",
                "license": "A licence to reproduce it with this notice.",
                "license_url": "https://feed.example/terms",
            },
            "mitre": {
                "notice": "Copyright 1999-2026 The Example Corporation",
                "license": "CVE usage: with this notice.",
                "license_url": "https://cve.example/terms",
            },
        },
    }


def osv_record(
    name: str = "acme/mailer",
    *,
    identifier: str = "GHSA-aaaa-bbbb-cccc",
    ecosystem: str = "Packagist",
    events: tuple[dict[str, str], ...] = ({"introduced": "0"}, {"fixed": "2.0.1"}),
    range_type: str = "ECOSYSTEM",
    versions: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
    withdrawn: str | None = None,
) -> dict[str, Any]:
    """A record of OSV."""
    record: dict[str, Any] = {
        "schema_version": "1.6.0",
        "id": identifier,
        "modified": "2026-03-02T00:00:00Z",
        "published": "2026-03-01T00:00:00Z",
        "aliases": list(aliases),
        "summary": f"Remote code execution in {name}",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": name, "purl": f"pkg:composer/{name}"},
                "ranges": [{"type": range_type, "events": list(events)}],
                "versions": list(versions),
            }
        ],
        "references": [{"type": "ADVISORY", "url": f"https://feed.example/{identifier}"}],
        "database_specific": {"severity": "CRITICAL"},
    }
    if withdrawn:
        record["withdrawn"] = withdrawn
    return record
