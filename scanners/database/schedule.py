"""What WordPress runs by itself: events whose name no code knows and nobody would think of."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from scanners.database.notices import finding, sign
from scanners.database.schema import Schema, option
from scanners.database.serialized import NotSerialized, Structure, texts, unserialize
from scanners.database.texts import TextJudge
from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Evidence, Finding, FindingClass
from sentry.ports.hosts import Host

MAX_HOOKS = 400
SEARCH_S = 60.0
CORE_HOOKS = frozenset(
    b"""
    wp_version_check wp_update_plugins wp_update_themes wp_scheduled_delete delete_expired_transients
    wp_privacy_delete_old_export_files wp_site_health_scheduled_check recovery_mode_clean_expired_keys
    wp_scheduled_auto_draft_delete wp_https_detection wp_delete_temp_updater_backups wp_update_user_counts
    importer_scheduled_cleanup upgrader_scheduled_cleanup publish_future_post do_pings wp_split_shared_term_batch
    update_network_counts wp_maybe_auto_update wp_update_comment_type_batch wp_cache_gc
    """.split()
)
_HEX = re.compile(rb"[0-9a-f]{8,}", re.IGNORECASE)
_WORD = re.compile(rb"[A-Za-z]+")
_NO_VOWELS = re.compile(rb"[bcdfghjklmnpqrstvwxz]{7,}", re.IGNORECASE)
_MIXED = re.compile(rb"[a-z]\d[a-z]\d|\d[a-z]\d[a-z]|[a-z][A-Z][a-z][A-Z]")
_SEARCHABLE = re.compile(rb"^[\x21-\x7e]{3,200}$")


def judge_schedule(
    schema: Schema, prefix: str, judge: TextJudge, in_code: Callable[[Sequence[bytes]], frozenset[bytes]]
) -> Iterator[Finding]:
    """Yields what is wrong with the events of one site.

    Args:
        schema: of the database.
        prefix: of the site's tables.
        judge: of texts.
        in_code: returns those of some names that stand anywhere in the site's PHP.
    """
    data = option(schema, prefix, "cron")
    if data is None:
        return
    place = f"{prefix}options cron"
    try:
        hooks = _hooks(unserialize(data))
    except NotSerialized as error:
        schema.skip(place, f"it cannot be read: {error}", len(data))
        return
    unknown = [hook for hook in hooks if hook not in CORE_HOOKS][:MAX_HOOKS]
    owned = in_code(unknown) if unknown else frozenset[bytes]()
    for hook in unknown:
        where = f"{place} {hook[:80].decode('utf-8', 'backslashreplace')}"
        for argument in hooks[hook]:
            found = judge.finding(where, argument)
            yield from (found,) if found is not None else ()
        if hook in owned:
            continue
        if looks_made_up(hook):
            meaning = (
                "an event runs again and again under a name that no code of the site knows and a program made up"
            )
            yield finding(where, sign("db_cron_made_up", meaning, FindingClass.SUSPICIOUS, Evidence.STYLE, hook))
        else:
            meaning = "an event is left of something that is no longer there"
            yield finding(where, sign("db_cron_left", meaning, FindingClass.ADVICE, Evidence.PLACE, hook))


def looks_made_up(name: bytes) -> bool:
    """Whether a program made up a name: digits among letters, no vowels, long hexadecimal numbers."""
    return any(
        (_HEX.fullmatch(part) and any(byte in b"0123456789" for byte in part))
        or _NO_VOWELS.search(part)
        or _MIXED.search(part)
        for part in re.split(rb"[_\-. ]", name)
    )


def code_searcher(host: Host, root: bytes) -> Callable[[Sequence[bytes]], frozenset[bytes]]:
    """Returns what looks names up in the site's PHP, by the host's own grep: the files need not come over.

    Where that does not work every name counts as known: an error is never a verdict.
    """

    def search(names: Sequence[bytes]) -> frozenset[bytes]:
        searchable = [name for name in names if _SEARCHABLE.match(name)]
        if not searchable:
            return frozenset()
        command = (b"grep", b"-rhoF", b"--include=*.php", b"--include=*.inc", b"-f", b"-", b"--", root)
        try:
            outcome = host.run(command, stdin=b"\n".join((*searchable, b"")), within_s=SEARCH_S)
        except HostLost:
            raise
        except HostError:
            return frozenset(names)
        return frozenset(outcome.output.splitlines()) if outcome.status in {0, 1, 2} else frozenset(names)

    return search


def _hooks(value: object) -> Mapping[bytes, Sequence[bytes]]:
    """Returns the names of the events, each with the texts that it is given."""
    hooks: dict[bytes, list[bytes]] = {}
    for _at, events in value.items.items() if isinstance(value, Structure) else ():
        for hook, runs in events.items.items() if isinstance(events, Structure) else ():
            given = hooks.setdefault(hook if isinstance(hook, bytes) else b"%d" % hook, [])
            given += [text for path, text in texts(runs) if "[args]" in path]
    return hooks
