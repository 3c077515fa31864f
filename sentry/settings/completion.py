"""Writes into a document what a small file leaves out: the client, the plan and the checks of a site."""

from collections.abc import Mapping
from typing import Any

from sentry.domain.site import CheckOptions
from sentry.settings.document import Document

BUILT_IN = "default"
DEFAULT_LIMIT_S = 5
"""Response time from which a site without checks of its own counts as degraded."""


def drop_own_keys(document: Document) -> None:
    """Removes the user's own keys at the root, `x-…`: a place for YAML anchors that the agent does not read."""
    document.value = {key: value for key, value in document.value.items() if not key.startswith("x-")}


def add_client_and_plan(document: Document) -> None:
    """Gives each site without a client or plan one, in place; what is written or has a wrong shape is left alone."""
    root: dict[str, Any] = document.value
    for key in [key for key, value in root.items() if value is None]:
        del root[key]  # 'channels:' with nothing under it, as the starter leaves it, means none
    defaults = root.get("defaults")
    chosen = defaults if isinstance(defaults, dict) else {}
    fallbacks = {
        "client": _fallback(root, "clients", chosen.get("client"), {"name": _agency_name(root)}),
        "plan": _fallback(root, "plans", chosen.get("plan"), {}),
    }
    for site in _sites(root):
        for key, fallback in fallbacks.items():
            if key not in site and fallback is not None:
                site[key] = fallback


def add_checks(document: Document, check_kinds: Mapping[str, type[CheckOptions]]) -> None:
    """Gives each site without checks the usual ones, in place; its address must be filled in already."""
    for site in _sites(document.value):
        if "checks" not in site:
            site["checks"] = default_checks(site.get("url"), check_kinds)


def _sites(root: dict[str, Any]) -> list[dict[str, Any]]:
    sites = root.get("sites")
    return [site for site in sites if isinstance(site, dict)] if isinstance(sites, list) else []


def _agency_name(root: dict[str, Any]) -> str:
    agency = root.get("agency")
    name = agency.get("name") if isinstance(agency, dict) else None
    return name if isinstance(name, str) else "Online Sentry"


def _fallback(root: dict[str, Any], section: str, chosen: object, built_in: dict[str, Any]) -> str | None:
    """Returns the key that a site without one gets: the chosen, the only, or a built-in one; None: it must say."""
    if isinstance(chosen, str):
        return chosen
    known = root.setdefault(section, {})
    if not isinstance(known, dict):
        return BUILT_IN
    if not known:
        known[BUILT_IN] = built_in
    if BUILT_IN in known:
        return BUILT_IN
    return str(next(iter(known))) if len(known) == 1 else None


def default_checks(url: object, check_kinds: Mapping[str, type[CheckOptions]]) -> list[dict[str, Any]]:
    """Returns what is probed of a site that says nothing: http with a response-time limit, and tls for https."""
    http: dict[str, Any] = {"kind": "http"}
    options = check_kinds.get("http")
    if options is not None and "max_response_s" in options.model_fields:
        http["max_response_s"] = DEFAULT_LIMIT_S
    return [http, {"kind": "tls"}] if str(url).lower().startswith("https://") else [http]
