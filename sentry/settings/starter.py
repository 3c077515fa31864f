"""The configuration that `online-sentry init` writes: it runs as it is, and explains every common key."""

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from sentry.domain.errors import ConfigurationError, Problem
from sentry.settings.model import Web

OWN_KEY = "online-sentry"
MAX_KEY = 63
_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)

SITE = Template("""\
  - key: $key
    url: $url
    checks:
$checks
""")
CHECKS = {
    "http": ["      - {kind: http, max_response_s: 5}"],
    "https": ["      - {kind: http, max_response_s: 5}", "      - {kind: tls, min_days_left: 14}"],
}

STARTER = Template("""\
# yaml-language-server: $$schema=sentry.schema.json
# Configuration of Online Sentry. The line above gives editors completion and checking, once you have run:
#   online-sentry schema > sentry.schema.json
# After a change:   online-sentry check-config   says what is wrong, with line and cure;
#                   kill -HUP, or POST /-/reload, lets the running agent take it over.
# Secrets never stand here: $${NAME} is replaced by the environment variable NAME, or by the content of the file that
# NAME_FILE names. A literal $${ is written $$$${.
# Relative paths begin at this file's folder.

# Who you are. The language (en, es) and time zone hold for every client and plan that says nothing else.
agency: {name: My agency, language: en, time_zone: UTC}

# Where everything that was seen is kept. PostgreSQL: postgresql://sentry:$${DB_PASSWORD}@localhost/sentry
store: sqlite:///sentry.db

# Status page, metrics and API. To be reached from other machines: listen: "0.0.0.0:9117", with a token.
web:
  listen: "$listen"
  # base_url: https://status.example.com      # what links in alerts begin with
  # token_file: web.token                     # made with: (umask 077; openssl rand -hex 32 > web.token)

# What you sold. A site without a plan gets `default`.
plans:
  default:
    uptime_target: 99.7                       # percent of a calendar month
    interval_s: 60                            # a probe a minute
    recheck_after_s: [10, 20]                 # an outage is believed after these re-checks, and counts from the first
    # audit_every_days: 15
    # update_weekday: tuesday
    # time_zone: Europe/Madrid                # in which the months of the contract begin

# Who the sites belong to. A site without a client gets `default`.
clients:
  default: {name: My agency}
  # acme: {name: Acme S.L., language: es, time_zone: Europe/Madrid, contacts: [web@acme.example]}

# What is watched. More sites can stand in files of the folder sites/ beside this one, e.g. sites/acme.yaml.
# A site needs `key` and `url` only: it then gets an http check with max_response_s: 5, and tls where it is https.
# Kinds of checks: http, tls, tcp, dns, icmp, heartbeat; see docs/configuration.md.
sites:
$sites
  # - key: acme-shop                          # short and lasting: history belongs to it
  #   client: acme
  #   url: https://shop.acme.example/
  #   checks:
  #     - {kind: http, expect_text: Cart, max_response_s: 3}
  #     - {kind: http, name: login, url: /login, accepted_status: [200, 302]}
  #     - {kind: tls, min_days_left: 14}

# How people are told. Without a channel, incidents are on the status page and in the metrics only.
channels:
  # duty: {kind: email, to: [duty@example.com], smtp: "smtp+starttls://user:$${SMTP_PASSWORD}@mail.example.com:587"}
  # chat: {kind: apprise, url: "$${CHAT_URL}", fallback: duty}

# Which incidents go where. Without routes, every incident goes to every channel.
# routes:
#   - {severities: [SEV1, SEV2], to: [duty]}
#   - {clients: [acme], to: [chat]}

# How long things are kept.
# retention: {samples_days: 35, failures_days: 400}
""")


def starter(urls: Sequence[str] = (), *, listen: str = "127.0.0.1:9117") -> str:
    """Returns a commented configuration that watches the agent's own page and these addresses.

    Args:
        urls: web addresses; one without a scheme is taken as https.
        listen: address and port of the agent's own pages.

    Raises:
        ConfigurationError: an address cannot be used.
    """
    own = f"{Web(listen=listen).link_root}/healthz"
    addresses = {OWN_KEY: own}
    problems: list[Problem] = []
    for written in urls:
        try:
            url = _address(written)
        except ValueError as error:
            problems.append(Problem("URL", 0, written.rpartition("@")[2][:100], str(error)))
            continue
        if url not in addresses.values():
            addresses[_key_for(url, addresses)] = url
    if problems:
        raise ConfigurationError(problems)
    return STARTER.substitute(listen=listen, sites="\n".join(_sites(addresses.items())))


def _sites(addresses: Iterable[tuple[str, str]]) -> Iterator[str]:
    for key, url in addresses:
        # JSON's strings are YAML's double-quoted ones, so no address can break out of its place.
        checks = "\n".join(CHECKS[urlsplit(url).scheme])
        yield SITE.substitute(key=key, url=json.dumps(url), checks=checks).rstrip()


def _address(written: str) -> str:
    text = written.strip()
    try:
        url = _URL.validate_python(text if "://" in text else f"https://{text}")
    except ValidationError:
        url = None
    if url is None:
        raise ValueError("this is no web address; write one like https://example.com/")
    if url.username is not None or url.password is not None:
        raise ValueError("leave the user and password out; they go into the check, as ${NAME}")
    return str(url).replace("$", "%24")


def _key_for(url: str, taken: Iterable[str]) -> str:
    """Returns a key made of the host name that no other site has."""
    host = urlsplit(url).hostname or "site"
    stem = re.sub(r"[^a-z0-9]+", "-", host.lower().removeprefix("www.")).strip("-")[: MAX_KEY - 5] or "site"
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}-{number}", number + 1
    return key


def write_new(path: Path, text: str) -> None:
    """Writes a file that did not exist, readable by its owner only; never touches one that does.

    Raises:
        ConfigurationError: it exists already, or cannot be written; the message says how to mend it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError([Problem(str(path), 0, "", _refusal(path, error))]) from error


def _refusal(path: Path, error: OSError) -> str:
    if error.errno == errno.EEXIST:
        return "it exists already and is left as it is; name another with --config, or move it away first"
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return f"its folder does not exist; make it with: mkdir -p {path.parent}"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"the folder {path.parent} cannot be written to; name another with --config, or change its owner"
    return f"it cannot be written: {error.strerror}"
