"""Settings of a WordPress that decide where it stands, what it loads and who may come in."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from scanners.database.installation import Installation
from scanners.database.notices import finding, sign
from scanners.database.schema import Schema, option
from scanners.database.serialized import NotSerialized, texts, unserialize
from sentry.domain.finding import Evidence, Finding, FindingClass

ADDRESSES = {"siteurl": "WP_SITEURL", "home": "WP_HOME"}
"""Options with the address of a site, and the constant that stands above each."""


def judge_options(
    schema: Schema, prefix: str, installation: Installation, own: frozenset[str], paths: frozenset[bytes]
) -> Iterator[Finding]:
    """Yields what is wrong with the settings of one site.

    Args:
        schema: of the database.
        prefix: of the site's tables.
        installation: whose database it is.
        own: the hosts that the site may have; empty where nobody said.
        paths: of all files.
    """
    yield from _addresses(schema, prefix, installation, own)
    yield from _open_door(schema, prefix)
    yield from _plugins(schema, prefix, installation, paths)


def host_of(address: str) -> str:
    """Returns the host of an address without `www.`, empty where it is no address of a site."""
    try:
        parts = urlsplit(address.strip())
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.") if parts.scheme in {"http", "https"} else ""


def _addresses(schema: Schema, prefix: str, installation: Installation, own: frozenset[str]) -> Iterator[Finding]:
    found = {name: option(schema, prefix, name) for name in ADDRESSES}
    for name, value in found.items():
        written = (value or b"").decode("utf-8", "replace").strip()
        host, place = host_of(written), f"{prefix}options {name}"
        above = host_of(installation.constants.get(ADDRESSES[name], ""))
        expected = own | ({above} if above else set())
        parts = urlsplit(written) if host else None
        if parts is None or parts.query or parts.fragment or any(one in written for one in "<>\"' "):
            meaning = "the address of the site is none: it holds something that pages would load"
            yield finding(
                place, sign("db_address_abused", meaning, FindingClass.CONFIRMED, Evidence.SETTING, written)
            )
        elif expected and not _is_of(host, expected):
            meaning = "the address of the site in its database leads to another site"
            yield finding(
                place, sign("db_address_foreign", meaning, FindingClass.SUSPICIOUS, Evidence.SETTING, written)
            )
    hosts = {host_of((value or b"").decode("utf-8", "replace")) for value in found.values()}
    if not own and len(hosts - {""}) > 1:
        meaning = "the two addresses of the site lead to different hosts"
        place = f"{prefix}options siteurl, home"
        detail = ", ".join(sorted(hosts))
        yield finding(place, sign("db_addresses_differ", meaning, FindingClass.SUSPICIOUS, Evidence.SETTING, detail))


def _is_of(host: str, expected: frozenset[str]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in expected)


def _open_door(schema: Schema, prefix: str) -> Iterator[Finding]:
    role = option(schema, prefix, "default_role") or b""
    if role.strip() not in {b"administrator", b"editor"}:
        return
    is_open = (option(schema, prefix, "users_can_register") or b"").strip() == b"1"
    meaning = "who registers becomes one who runs the site" + (
        "" if is_open else "; registering is closed at present"
    )
    verdict = FindingClass.EXPOSED if is_open else FindingClass.SUSPICIOUS
    yield finding(f"{prefix}options default_role", sign("db_open_door", meaning, verdict, Evidence.SETTING, role))


def _plugins(schema: Schema, prefix: str, installation: Installation, paths: frozenset[bytes]) -> Iterator[Finding]:
    folder = installation.folder + b"wp-content/plugins/"
    if not any(path.startswith(folder) for path in paths):
        return  # they stand elsewhere, by a constant
    try:
        active = list(texts(unserialize(option(schema, prefix, "active_plugins") or b"a:0:{}")))
    except NotSerialized:
        meaning = "the list of active plugins cannot be read"
        place = f"{prefix}options active_plugins"
        yield finding(place, sign("db_plugins_unreadable", meaning, FindingClass.SUSPICIOUS, Evidence.SETTING))
        return
    for _key, plugin in active:
        place = f"{prefix}options active_plugins {plugin[:80].decode('utf-8', 'backslashreplace')}"
        if b".." in plugin or plugin.startswith(b"/") or not plugin.endswith(b".php"):
            meaning = "a file that is no plugin is loaded as one"
            yield finding(
                place, sign("db_plugin_elsewhere", meaning, FindingClass.SUSPICIOUS, Evidence.PLACE, plugin)
            )
        elif folder + plugin not in paths:
            meaning = "a plugin is switched on whose file is gone"
            yield finding(place, sign("db_plugin_gone", meaning, FindingClass.ADVICE, Evidence.PLACE, plugin))
