"""Loads the configuration: files, environment, shape, names, what follows from them. All problems come at once."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.notice import ChannelOptions, Route
from sentry.domain.site import CheckOptions
from sentry.settings.advice import Advice
from sentry.settings.collection import collected
from sentry.settings.completion import add_checks, add_client_and_plan, drop_own_keys
from sentry.settings.concealment import Curtain
from sentry.settings.configuration import Settings
from sentry.settings.document import Document
from sentry.settings.environment import Secrets, fill
from sentry.settings.files import NamedFiles, rooted_store
from sentry.settings.kinds import json_schema, shape, site_shape
from sentry.settings.references import References
from sentry.settings.schema import Schema
from sentry.settings.sharing import SharedChecks, slimmed
from sentry.settings.shops import write_out_shops
from sentry.settings.values import leaves, value_at
from sentry.settings.verdict import Verdict


def load(
    path: Path,
    *,
    check_kinds: Mapping[str, type[CheckOptions]],
    channel_kinds: Mapping[str, type[ChannelOptions]],
    environment: Mapping[str, str],
    advised: bool = True,
) -> Settings:
    """Loads the main file and the `sites/` folder beside it. Reads files: call it in a thread where a loop runs.

    Args:
        path: the main YAML file.
        check_kinds: option models of every kind of check.
        channel_kinds: option models of every kind of channel.
        environment: variables that `${NAME}` in the files refers to.
        advised: whether `warnings` are wanted; ten thousand sites may have as many, and only commands show them.

    Returns:
        Frozen settings; `warnings` says what is probably not meant.

    Raises:
        ConfigurationError: with every problem found, in the order of files and lines. No value of a secret is in it.
    """
    document = collected(path)
    if not isinstance(document.value, dict):
        raise ConfigurationError(document.problems)
    drop_own_keys(document)
    write_out_shops(document)
    # Before the texts are filled, so that a name taken over from the agency counts as what it is: possibly a secret.
    add_client_and_plan(document)
    secrets = fill(document, environment)
    add_checks(document, check_kinds)
    site = site_shape(check_kinds, channel_kinds)
    shared = SharedChecks(site, check_kinds, (*secrets.locations, *secrets.failed))
    loading = _Loading(document, secrets, path, shared)
    settings = loading.settings(check_kinds, channel_kinds)
    return loading.advised(settings) if advised else settings


class _Loading:
    """One run of the loader over one document."""

    def __init__(self, document: Document, secrets: Secrets, path: Path, shared: SharedChecks) -> None:
        self._document = document
        self._secrets = secrets
        self._path = path
        self._shared = shared

    def settings(
        self, check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
    ) -> Settings:
        document, errors, made = self._document, list[ErrorDetails](), None
        try:
            made = shape(check_kinds, channel_kinds).model_validate(self._shared.put_in(document.value))
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_input=False)
        if errors:
            schema = Schema(json_schema(check_kinds, channel_kinds), document)
            self._secrets.values.update(
                str(value) for location, value in leaves(document.value) if value and schema.is_secret(location)
            )
            document.problems += Verdict(document, self._secrets, schema).problems(errors)
        document.problems += References(document, self._secrets).problems()
        if made is not None:
            made = self._with_files(made)
            document.problems += self._misread_truths(made)
            document.problems += self._no_sites(made)
        if made is None or document.problems:
            raise ConfigurationError(self._in_order(document.problems))
        return self._finished(made)

    def _with_files(self, made: Settings) -> Settings:
        files = NamedFiles(self._document, self._secrets, self._path.parent)
        # A path is looked at in each place that names it, so that each has its problem.
        without_path = {id(each): each for each in self._shared.options if not _names_files(each)}
        rooted: Settings = files.rooted(made, without_path)
        web = rooted.web
        if web.token_file is not None:
            web = web.model_copy(update={"token": files.token(web.token_file)})
        self._document.problems += files.problems
        store = rooted_store(rooted.store, self._path.parent)
        return rooted.model_copy(update={"store": store, "web": web})

    def _finished(self, made: Settings) -> Settings:
        document = self._document
        curtain = Curtain(self._secrets.locations)
        routes = made.routes
        if "routes" not in document.value:
            routes = default_routes(made.channels)
        known = {id(each): curtain.concealed(each) for each in self._shared.options}
        settings: Settings = curtain.concealed(made.model_copy(update={"routes": routes}), known)
        slimmed(settings.sites)
        settings._file, settings._curtain = self._path, curtain  # noqa: SLF001  # private to the file's readers, set once
        return settings

    def advised(self, settings: Settings) -> Settings:
        """Returns settings that hold with what works but is probably not meant."""
        warnings = Advice(settings, self._document, self._secrets).warnings()
        settings._warnings = tuple(self._in_order(warnings))  # noqa: SLF001  # as above
        return settings

    def _misread_truths(self, made: Settings) -> Iterator[Problem]:
        """A number where `true` was written: pydantic takes it as 1, nobody means that."""
        truths = [location for location, value in leaves(self._document.value) if isinstance(value, bool)]
        for location in truths:
            if type(value_at(made, location)) in {int, float}:
                yield self._document.problem(location, "must be a number; found true or false")

    def _no_sites(self, made: Settings) -> Iterator[Problem]:
        if not made.sites:
            yield self._document.problem(
                ("sites",),
                "nothing is watched; add a site, e.g. {key: example, url: https://example.com/}, here or in sites/",
            )

    def _in_order(self, problems: list[Problem]) -> list[Problem]:
        """Sorts by file, the main one first, then line; scrubs every message once more."""
        main = self._document.file
        clean = {
            Problem(problem.file, problem.line, problem.path, self._secrets.scrubbed(problem.message))
            for problem in problems
        }
        return sorted(clean, key=lambda problem: (problem.file != main, problem.file, problem.line, problem.path))


def _names_files(options: CheckOptions) -> bool:
    return any(isinstance(value, Path) for _, value in leaves(options))


def default_routes(channels: Mapping[str, ChannelOptions]) -> tuple[Route, ...]:
    """Returns what holds where no routes are written: everything to every channel that is no other's fall-back."""
    spare = {options.fallback for options in channels.values()}
    keys = tuple(key for key in channels if key not in spare)
    return (Route(to=keys),) if keys else ()
