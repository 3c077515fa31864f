"""The configuration that `online-sentry init` writes: it runs as it is, and explains every common key."""

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import yaml
from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from sentry.data import config_folder
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
    template = Template((config_folder() / "starter.yaml").read_text(encoding="utf-8"))
    return template.substitute(listen=listen, sites="\n".join(_sites(addresses.items())))


def _sites(addresses: Iterable[tuple[str, str]]) -> Iterator[str]:
    for key, url in addresses:
        # JSON's strings are YAML's double-quoted ones, so no address can break out of its place.
        checks = "\n".join(CHECKS[urlsplit(url).scheme])
        # A host may be called `false`, which YAML would not take for a text.
        written = key if isinstance(yaml.safe_load(key), str) else json.dumps(key)
        yield SITE.substitute(key=written, url=json.dumps(url), checks=checks).rstrip()


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
