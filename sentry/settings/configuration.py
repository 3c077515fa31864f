"""The settings as the agent uses them: frozen, checked, and with every inheritance resolved on demand."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, SerializeAsAny, model_serializer

from sentry.domain.errors import Problem
from sentry.domain.incident_policy import IncidentPolicy
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.domain.model import StrictModel
from sentry.domain.notice import ChannelOptions, Route
from sentry.domain.retention import RetentionPolicy
from sentry.domain.site import Agency, Check, CheckOptions, Client, Host, Key, Plan, Site
from sentry.settings.concealment import Concealed, Curtain
from sentry.settings.model import Audits, Defaults, Lookups, Probing, StoreAddress, Tickets, Web
from sentry.settings.sharing import shared_text


class Settings(StrictModel):
    """Everything that was configured. Made by `load`; equal values mean the same configuration."""

    agency: Agency = Field(Agency(), description="Who keeps the promises; language and time zone for all.")
    store: StoreAddress = Field(
        "sqlite:///sentry.db",
        description="Database: sqlite:///FILE (from this file's folder; four slashes for an absolute path) "
        "or postgresql://USER@HOST/NAME.",
    )
    web: Web = Field(Web(), description="The agent's own pages, metrics and interface.")
    probe: Probing = Field(Probing(), description="How the agent probes, for every site.")
    retention: RetentionPolicy = Field(RetentionPolicy(), description="How long what was seen is kept.")
    incidents: IncidentPolicy = Field(IncidentPolicy(), description="When several failures are told as one.")
    lookups: Lookups = Field(Lookups(), description="What authorities and registries are asked, about once a day.")
    audits: Audits = Field(Audits(), description="The security audits of all sites.")
    tickets: Tickets = Field(Tickets(), description="Where tickets go beside the agent's own store.")
    defaults: Defaults = Field(Defaults(), description="What a site gets that does not say otherwise.")
    plans: Mapping[Key, Plan] = Field({}, description="What is sold, by key.")
    clients: Mapping[Key, Client] = Field({}, description="Who sites belong to, by key.")
    hosts: Mapping[Key, Host] = Field({}, description="Servers that sites stand on, by key.")
    sites: tuple[Site, ...] = Field((), description="What is watched; files in `sites/` beside this one add to it.")
    maintenance: Mapping[Key, MaintenanceWindow] = Field(
        {}, description="Maintenance windows that are announced here, by key; more can be announced while it runs."
    )
    channels: Mapping[Key, SerializeAsAny[ChannelOptions]] = Field({}, description="Ways to reach people, by key.")
    routes: tuple[Route, ...] = Field(
        (), description="Which incidents go to which channels; every incident to every channel when absent."
    )

    _warnings: tuple[Problem, ...] = PrivateAttr(())
    _file: Path = PrivateAttr(Path("sentry.yaml"))
    _curtain: Curtain = PrivateAttr(default_factory=Curtain)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What works but is probably not meant, in the order of files and lines."""
        return self._warnings

    @property
    def file(self) -> Path:
        """The main file."""
        return self._file

    @cached_property
    def _checks(self) -> tuple[Check, ...]:
        return tuple(check for index, site in enumerate(self.sites) for check in self._checks_of(index, site))

    def checks(self) -> tuple[Check, ...]:
        """Returns every check of every site with all that it inherits, in the order of the configuration."""
        return self._checks

    def keep_equal(self, old: "Settings") -> None:
        """Lets each check that is as it was be the same object, so that whoever compares the two is done at once.

        Args:
            old: the configuration that this one replaces.
        """
        known = {check.key: check for check in old.checks()}
        alike = _Alike()
        self.__dict__["_checks"] = tuple(
            standing if (standing := known.get(check.key)) is not None and alike(standing, check) else check
            for check in self.checks()
        )

    def _checks_of(self, index: int, site: Site) -> tuple[Check, ...]:
        shown = self._curtain.shown(("sites", index, "url"))
        url = str(site.url) if shown is None else Concealed(str(site.url), shown)
        return tuple(self._check(site, options, url) for options in site.checks)

    def _check(self, site: Site, options: CheckOptions, url: str) -> Check:
        plan, client = self.plans[site.plan], self.clients[site.client]
        host = self.hosts[site.host] if site.host else None
        return Check(
            key=f"{site.key}/{options.name or options.kind}",
            site_key=site.key,
            client_key=site.client,
            plan_key=site.plan,
            url=url,
            interval_s=options.interval_s or plan.interval_s,
            options=options,
            plan=plan,
            time_zone=ZoneInfo(plan.time_zone or client.time_zone or self.agency.time_zone),
            language=plan.language or client.language or self.agency.language,
            host_group=site.host or shared_text(site.url.host or "") or site.key,
            host_cap=host.max_concurrent_probes if host else self.probe.max_concurrent_per_host,
            host=site.host or "",
            depends_on=tuple(dict.fromkeys((*site.depends_on, *options.depends_on))),
        )

    def shown(self) -> dict[str, Any]:
        """Returns everything as JSON values, with secrets and passwords replaced by `***`."""
        return {name: self._curtain.presentable(getattr(self, name), (name,)) for name in type(self).model_fields}

    @model_serializer(mode="plain")
    def _serialized(self) -> dict[str, Any]:
        """Every dump is the one that anyone may see."""
        return self.shown()

    __hash__ = None  # type: ignore[assignment]  # it holds mappings

    def __eq__(self, other: object) -> bool:
        """Compares what is configured; where it was read and what was warned of does not matter."""
        return isinstance(other, Settings) and all(
            getattr(self, name) == getattr(other, name) for name in type(self).model_fields
        )

    def __repr__(self) -> str:
        """Returns what may be seen."""
        return f"Settings({self.shown()!r})"

    def __str__(self) -> str:
        """Returns what may be seen."""
        return repr(self)


class _Alike:
    """Whether a check is as it was, also to look at: a text that became a secret equals its former self."""

    def __init__(self) -> None:
        self._shown_alike: dict[tuple[int, int], bool] = {}

    def __call__(self, old: Check, new: Check) -> bool:
        return old == new and type(old.url) is type(new.url) and self._options_shown_alike(old.options, new.options)

    def _options_shown_alike(self, old: CheckOptions, new: CheckOptions) -> bool:
        pair = (id(old), id(new))  # both configurations hold them meanwhile
        if pair not in self._shown_alike:
            self._shown_alike[pair] = repr(old) == repr(new)
        return self._shown_alike[pair]
