"""Several sites that fail together, in words: what they share, and which they are."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from textwrap import wrap

from sentry.domain.concern import ConcernKind
from sentry.domain.incident import Incident, IncidentState, Member
from sentry.domain.watched_site import WatchedSite
from sentry.reports.concern_account import ConcernAccount
from sentry.reports.failure_text import COLUMNS, section
from sentry.reports.inert import inert_line
from sentry.reports.wording import Wording

NAMES_SHOWN = 20
"""Sites named in a message; the page of the incident has all of them."""

FindSite = Callable[[str], WatchedSite | None]


class GroupAccount(ConcernAccount):
    """Fills `Account`.

    Args:
        incident: of a group, with those of its members that its readers may see.
        find_site: what is known of a site by its key.
        duration: how long it lasted, empty while it does.
    """

    def __init__(self, incident: Incident, *, find_site: FindSite, duration: str, wording: Wording) -> None:
        facts = {**incident.facts, "count": len(incident.members) or incident.facts.get("count")}
        super().__init__(
            replace(incident, facts=facts), ConcernKind.GROUP, site_name="", duration=duration, wording=wording
        )
        self._find_site = find_site

    def evidence(self) -> str:
        """Returns the sites, those that are still down first."""
        return "\n\n".join(part for part in (self._sites(), super().evidence()) if part)

    def whole(self) -> str:
        """Returns everything as readable text."""
        return f"{super().whole()}\n\n{self._sites()}".rstrip()

    def _sites(self) -> str:
        members = sorted(self._incident.members, key=lambda one: one.state is IncidentState.RESOLVED)
        lines = [line for client, named in self._by_client(members[:NAMES_SHOWN]) for line in _listed(client, named)]
        if len(members) > NAMES_SHOWN:
            more = self._wording.number(len(members) - NAMES_SHOWN)
            lines.append(self._wording.text("and {count} more", count=more))
        return section(self._wording.text("Sites"), lines) if lines else ""

    def _by_client(self, members: Sequence[Member]) -> list[tuple[str, list[str]]]:
        named: dict[str, list[str]] = {}
        for member in members:
            site = self._find_site(member.site_key)
            client = inert_line(site.client_name if site else member.client_key, 60)
            name = inert_line(site.name if site else member.site_key, 60)
            if member.state is IncidentState.RESOLVED:
                name = self._wording.text("{site} (works again)", site=name)
            named.setdefault(client, []).append(name)
        return sorted(named.items(), key=lambda pair: pair[0].casefold())


def _listed(client: str, names: Sequence[str]) -> list[str]:
    return wrap(f"{client}: {', '.join(names)}", COLUMNS - 2, subsequent_indent="  ", break_on_hyphens=False)
