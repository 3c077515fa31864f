"""The configuration of an agent under test: small, with an interval of seconds, on loopback only."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.integration.servers.loopback import LOOPBACK

Document = dict[str, Any]


def agent_document(
    port: int,
    sites: Mapping[str, str | Mapping[str, Any]],
    channels: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    interval_s: int = 2,
    recheck_after_s: Sequence[float] = (0.5, 0.5),
    language: str = "es",
    **sections: Any,
) -> Document:
    """Returns a configuration document, to be changed further or written with `write_config`.

    Args:
        port: where the agent listens on 127.0.0.1.
        sites: by key, either the URL alone or the keys of the site beside `key`.
        channels: by name, as the configuration has them.
        interval_s: seconds from one probe to the next.
        recheck_after_s: seconds after the first failure (or success) of each re-check.
        language: of alerts and reports.
        sections: further sections of the document, e.g. `probing={"ca_file": …}`; they replace those made here.
    """
    plan = {"uptime_target": 99.7, "interval_s": interval_s, "recheck_after_s": list(recheck_after_s)}
    return {
        "agency": {"name": "Ejemplo Hosting", "language": language, "time_zone": "Europe/Madrid"},
        "store": "sqlite:///sentry.db",
        "web": {"listen": f"{LOOPBACK}:{port}"},
        "plans": {"priority": plan},
        "clients": {"acme": {"name": "Acme S.L.", "contacts": ["web@acme.example"]}},
        "sites": [_site(key, site) for key, site in sites.items()],
        "channels": {name: dict(channel) for name, channel in (channels or {}).items()},
        **sections,
    }


def write_config(path: Path, document: Document) -> Path:
    """Writes a document as YAML, in one step as an editor or a deployment does, and returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    fresh.replace(path)
    return path


def _site(key: str, site: str | Mapping[str, Any]) -> dict[str, Any]:
    own = {"url": site} if isinstance(site, str) else dict(site)
    return {"key": key, "client": "acme", "plan": "priority", **own}
