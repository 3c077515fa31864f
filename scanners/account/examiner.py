"""Examines the account of a site: its crontab, keys and start files, and the rights of its files (002-07, 002-08)."""

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from scanners.account import commands, entries, keys
from scanners.account.rules import of_account
from scanners.provenance import judged_by
from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Finding, Skipped
from sentry.ports import Host, Scene

NAME = "account"
MAX_BYTES = 500_000
MAX_LINES = 5_000
MAX_FINDINGS = 50
SHOWN_CHARACTERS = 200
START_FILES = (
    *(b".bashrc", b".bash_profile", b".bash_login", b".bash_logout", b".profile", b".zshrc", b".zprofile"),
    *(b".ssh/rc", b".ssh/environment", b".config/fish/config.fish", b".pam_environment"),
)
KEY_FILES = (b".ssh/authorized_keys", b".ssh/authorized_keys2")
_SCHEDULE_WORDS = 5


class AccountExaminer:
    """Fills `Examiner`.

    Args:
        known_keys: fingerprints of the keys that may log in; empty where nobody has said.
    """

    name = NAME

    def __init__(self, known_keys: Sequence[str] = ()) -> None:
        self._known_keys = known_keys

    @property
    def rules(self) -> str:
        """The SHA-256 over engines and rules."""
        return judged_by()

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what is wrong with the account; of a folder that is no site's, only what its files tell."""
        yield from entries.judged(scene.entries, scene.tree.root, scene.known)
        if scene.site is None or scene.site.access is None or scene.host is None:
            scene.manifest.parts[NAME] = "rights, owners and links only: no account of a site was named"
            return
        gaps: list[str] = []
        yield from self._of_account(scene.host, gaps)
        told = "; ".join(gaps)
        if gaps:
            scene.manifest.skipped.append(Skipped(NAME, told, 0))
        scene.manifest.parts[NAME] = f"unknown: {told}" if gaps else "looked at"

    def _of_account(self, host: Host, gaps: list[str]) -> Iterator[Finding]:
        crontab = _answered(host, ["crontab", "-l"], gaps)
        if crontab is not None:
            yield from _commands(crontab, "crontab", is_schedule=True)
        home = (_answered(host, ["printenv", "HOME"], gaps) or b"").strip()
        if not home.startswith(b"/"):
            gaps.append("the account's folder is not known")
            return
        paths = {name: posixpath.join(home, name) for name in (*KEY_FILES, *START_FILES)}
        present = _present(host, list(paths.values()), gaps)
        for path in (paths[name] for name in KEY_FILES if paths[name] in present):
            yield from keys.judged(_content(host, path, gaps), _shown(path), self._known_keys)
        for path in (paths[name] for name in START_FILES if paths[name] in present):
            yield from _commands(_content(host, path, gaps), _shown(path), is_schedule=False)


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _answered(host: Host, command: Sequence[str], gaps: list[str]) -> bytes | None:
    """Returns what a command says, None where it cannot be run; no crontab at all is an empty one."""
    try:
        outcome = host.run(command, within_s=20, at_most_bytes=MAX_BYTES)
    except HostLost:
        raise
    except HostError as error:
        gaps.append(f"{command[0]}: {error}"[:SHOWN_CHARACTERS])
        return None
    if outcome.status and b"no crontab" not in outcome.complaints:
        gaps.append(f"{command[0]} ended with {outcome.status}")
        return None
    return outcome.output


def _present(host: Host, paths: Sequence[bytes], gaps: list[str]) -> frozenset[bytes]:
    """Returns which files there are; one question for all, since most accounts have few of them."""
    try:
        # In a language that we know: what is denied is told from what is not there by the complaint alone.
        outcome = host.run(
            ["env", "LC_ALL=C", "find", *paths, "-maxdepth", "0", "-print0"], within_s=20, at_most_bytes=MAX_BYTES
        )
    except HostLost:
        raise
    except HostError as error:
        gaps.append(f"find: {error}"[:SHOWN_CHARACTERS])
        return frozenset()
    if b"denied" in outcome.complaints:
        gaps.append("not every file of the account may be looked at")
    return frozenset(outcome.output.split(b"\0"))


def _content(host: Host, path: bytes, gaps: list[str]) -> bytes:
    """Returns a file of the account that is there; one that may not be read is a gap."""
    try:
        return host.read(path, MAX_BYTES)
    except HostLost:
        raise
    except HostError as error:
        gaps.append(f"{_shown(path)}: {error}"[:SHOWN_CHARACTERS])
        return b""


def _commands(content: bytes, where: str, *, is_schedule: bool) -> Iterator[Finding]:
    found = 0
    for number, line in enumerate(content.splitlines()[:MAX_LINES], 1):
        if not line.strip() or line.lstrip().startswith(b"#") or found >= MAX_FINDINGS:
            continue
        rule = commands.rule_of(_without_schedule(line) if is_schedule else line)
        if rule:
            found += 1
            yield of_account(rule, where, number, line)


def _without_schedule(line: bytes) -> bytes:
    """Returns the command of a line of a crontab, or the line where it sets a variable."""
    words = line.split(None, 1 if line.lstrip().startswith(b"@") else _SCHEDULE_WORDS)
    if b"=" in words[0]:
        return line
    return words[-1] if len(words) > 1 else line
