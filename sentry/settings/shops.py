"""Writes a site's `shop` out into checks, before anything else is made of the document."""

import re
from collections.abc import Mapping
from typing import Any

from sentry.domain.weight import CountsAs, Weight
from sentry.settings.document import Document
from sentry.settings.place import Location

PAGES = ("home", "product", "cart")
LIMIT_S = 5
"""Response time from which a page without a limit of its own counts as degraded."""

_HOST = re.compile(r"([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?")


def write_out_shops(document: Document) -> None:
    """Moves what stands in `shop` to `checks`, in place, each key with its place in the file.

    What has a wrong shape is left where it is and has its problem there.
    """
    sites = document.value.get("sites")
    for index, site in enumerate(sites if isinstance(sites, list) else ()):
        if isinstance(site, dict) and isinstance(site.get("shop"), dict):
            _write_out(document, site, ("sites", index))


def _write_out(document: Document, site: dict[str, Any], location: Location) -> None:
    shop, checks = site["shop"], site.setdefault("checks", _checks_beside(site))
    if not isinstance(checks, list):
        return
    written_out = _checks_of({"home": {}, **shop})
    for name, check in written_out.items():
        _note_places(document, (*location, "shop", name), (*location, "checks", len(checks)), check)
        checks.append(check)
    left = {key: value for key, value in shop.items() if key not in written_out and not _is_choice(key, value)}
    if left:
        site["shop"] = left
    else:
        del site["shop"]


def _is_choice(key: str, value: object) -> bool:
    return key == "gateway_counts_as" and isinstance(value, str) and value in set(CountsAs)


def _checks_beside(site: Mapping[str, Any]) -> list[Any]:
    """What a site without checks of its own is watched with beside its shop."""
    return [{"kind": "tls"}] if str(site.get("url")).lower().startswith("https://") else []


def _checks_of(shop: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns a check for each page that has a shape to make one of."""
    checks = {name: _page(shop[name]) for name in PAGES if isinstance(shop.get(name), str | dict)}
    if isinstance(shop.get("gateway"), str | dict):
        weight = Weight.DECIDES if shop.get("gateway_counts_as") == CountsAs.DOWN else Weight.DEGRADES
        checks["gateway"] = {"weight": weight.value, **_gateway(shop["gateway"])}
    return {name: {"name": name, **check} for name, check in checks.items()}


def _page(written: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(written, str):
        return {"kind": "http", "url": written, "max_response_s": LIMIT_S}
    limits = {} if "timeout_s" in written else {"max_response_s": LIMIT_S}
    return {"kind": "http", **limits, **written}


def _gateway(written: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(written, str):
        found = _HOST.fullmatch(written)
        if found is not None:
            port = {"port": int(found[2])} if found[2] else {"port": 443}
            return {"kind": "tls", "host": found[1], **port}
        return {"kind": "http", "url": written, "accepted_status": ["200-499"]}
    return written if "kind" in written else {"kind": "http", "accepted_status": ["200-499"], **written}


def _note_places(document: Document, source: Location, target: Location, value: object) -> None:
    """Lets problems of a check be told where its page stands; what was added by us stands where the page does."""
    place = document.places.get(source)
    if place is not None:
        document.places[target] = place
    if isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in children:
            _note_places(document, (*source, key), (*target, key), child)
