"""What changed between two configurations, so that a reload touches nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from sentry.settings.configuration import Settings

RESTART_SECTIONS = {
    "agency": "the agency's name, language or zone on pages and in alerts",
    "store": "the store",
    "web": "how the pages are served",
    "probe": "how the agent probes",
}
"""What is set up once, when the agent starts."""
PROMPT_SECTIONS = ("audits", "clients", "incidents", "lookups", "maintenance", "retention", "tickets")
"""What takes effect with the reload, beside checks, channels and routes."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Keys of one section: each of the old and the new ones stands in exactly one of these."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is something to do."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class SettingsDifference:
    """What a reload has to do.

    Attributes:
        checks: by `site/name`; a check is changed also when its plan, client or host gave it other values.
        routes: whether any route changed.
        other: sections that changed beside these and take effect at once.
        restart: what changed and takes effect only when the agent is restarted, one sentence each.
    """

    checks: Changes
    channels: Changes
    routes: bool
    other: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything changed at all."""
        return self.checks.any or self.channels.any or self.routes or bool(self.other or self.restart)

    def lines(self) -> Iterator[str]:
        """Returns what changed, one line each, for the log and the answer of a reload."""
        for section, changes in (("checks", self.checks), ("channels", self.channels)):
            for field in fields(Changes):
                keys = getattr(changes, field.name)
                if keys and field.name != "unchanged":
                    yield f"{section} {field.name}: {', '.join(keys)}"
        if self.routes:
            yield "routes changed"
        if self.other:
            yield f"changed: {', '.join(self.other)}"
        yield from self.restart


def difference(old: Settings, new: Settings) -> SettingsDifference:
    """Compares two configurations by value; files, comments and order do not matter, but for the order of routes.

    Args:
        old: what holds now.
        new: what shall hold.
    """
    return SettingsDifference(
        checks=_changes({check.key: check for check in old.checks()}, {check.key: check for check in new.checks()}),
        channels=_changes(old.channels, new.channels),
        routes=old.routes != new.routes,
        other=tuple(name for name in PROMPT_SECTIONS if getattr(old, name) != getattr(new, name)),
        restart=tuple(
            f"{name}: {what} changed; restart the agent to use the new value"
            for name, what in RESTART_SECTIONS.items()
            if getattr(old, name) != getattr(new, name)
        ),
    )


def _changes(old: Mapping[str, object], new: Mapping[str, object]) -> Changes:
    common = {key: old[key] is new[key] or old[key] == new[key] for key in new if key in old}
    return Changes(
        added=tuple(key for key in new if key not in old),
        removed=tuple(key for key in old if key not in new),
        changed=tuple(key for key, equal in common.items() if not equal),
        unchanged=tuple(key for key, equal in common.items() if equal),
    )
