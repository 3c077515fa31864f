"""A site is closed and opened at real web servers: visitors are sent away, we are not, and nothing of ours stays."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sentry.app.books import Books, open_books
from sentry.app.suspending import SuspensionDesk, Wish, visit
from sentry.clock import SystemClock
from sentry.domain.errors import NotFound, TransitionRefused
from sentry.domain.maintenance_window import WorkKind
from sentry.domain.suspension import Method
from tests.integration.servers.account import site_account
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.apache import Apache
from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.php_fpm import PhpFpm
from tests.integration.servers.wordpress import SiteServer

WISH = Wish("a shell was found", "Ana", timedelta(days=3))
REWRITING = b"RewriteEngine On\nRewriteRule ^pretty$ page.html"


class HastyClock(SystemClock):
    """Waits for nothing for long: the real server reads its settings anew each second."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 2.1))


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that the account of a site can reach."""
    folder = Path(tempfile.mkdtemp(prefix="online-sentry-door-"))
    folder.chmod(0o755)
    (folder / "site" / "sub").mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def _config(folder: Path, url: str, docroot: Path) -> Path:
    document = agent_document(0, {"shop": url})
    document["store"] = f"sqlite:///{folder}/sentry.db"
    for site in document["sites"]:
        site["access"] = {"local": True, "docroot": str(docroot)}
    return write_config(folder / "sentry.yaml", document)


async def _statuses(url: str, token: str) -> tuple[int, int]:
    return (await visit(url))[0], (await visit(url, token))[0]


def _tree(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    files = (one for one in sorted(folder.rglob("*")) if one.is_file())
    return {str(one): (one.read_bytes(), one.stat().st_mode, one.stat().st_uid) for one in files}


def _emergencies(books: Books) -> list[tuple[str | None, str | None, bool]]:
    windows = books.maintenance.windows.values()
    return [
        (one.plan.cause, one.plan.approver, one.cancelled) for one in windows if one.plan.kind is WorkKind.EMERGENCY
    ]


@pytest.mark.promise("001-42")
@pytest.mark.timeout(90)
async def test_suspended_site_behind_apache_is_closed_to_visitors_alone(ground: Path, tmp_path: Path) -> None:
    """Every page is closed, also in folders with rules of their own; opening leaves each file as it was."""
    docroot, account = ground / "site", site_account()
    for name in ("index.html", "sub/page.html"):
        (docroot / name).write_text("hello")
    for name in (".htaccess", "sub/.htaccess"):
        (docroot / name).write_bytes(REWRITING)
    account.own(docroot)
    before = _tree(docroot)
    with Apache(ground / "apache", account, docroot) as apache:
        pages = [apache.url + page for page in ("", "sub/page.html", "sub/pretty", "nothing")]
        async with open_books(_config(tmp_path, apache.url, docroot), HastyClock()) as books:
            desk = SuspensionDesk(books)
            suspension = await desk.suspend("shop", WISH, "ana")
            closed = [await _statuses(page, suspension.token) for page in pages]
            window = _emergencies(books)
            longer = await desk.suspend("shop", Wish("", "", timedelta(days=7)), "ana")
            await desk.unsuspend("shop", "ana")
            opened = [await _statuses(page, suspension.token) for page in pages]
            with pytest.raises(NotFound):
                await desk.unsuspend("shop", "ana")
            ended = _emergencies(books)

    assert suspension.method is Method.HTACCESS
    assert closed == [(503, 200), (503, 200), (503, 200), (503, 404)]
    assert opened == [(200, 200), (200, 200), (200, 200), (404, 404)]
    assert window == [("a shell was found", "Ana", False)]
    assert ended == [("a shell was found", "Ana", True)] * 2
    assert suspension.until < longer.until <= suspension.limit
    assert _tree(docroot) == before


@pytest.mark.promise("001-42")
@pytest.mark.timeout(90)
async def test_suspended_site_behind_fpm_runs_no_shell(ground: Path, tmp_path: Path) -> None:
    """A script that is called directly does not run either; files of ours that were new are gone afterwards."""
    docroot, account = ground / "site", site_account()
    (docroot / "readme.html").write_text("hello")
    (docroot / "index.php").write_text("<?php echo 'shop';")
    (docroot / "sub" / "shell.php").write_text("<?php touch(__DIR__ . '/ran');")
    account.own(docroot)
    before, port = _tree(docroot), free_port()
    url = f"http://{LOOPBACK}:{port}/"
    with (
        PhpFpm(ground / "fpm", account) as fpm,
        SiteServer(ground / "nginx", account, docroot, fpm.socket, port),
    ):
        async with open_books(_config(tmp_path, url, docroot), HastyClock()) as books:
            desk = SuspensionDesk(books)
            suspension = await desk.suspend("shop", WISH, "ana")
            closed = [await _statuses(url, suspension.token), await visit(url + "sub/shell.php")]
            await desk.unsuspend("shop", "ana")
            opened = await _statuses(url, suspension.token)

    assert suspension.method is Method.USER_INI
    assert closed[0] == (503, 200)
    assert closed[1][0] == 503
    assert opened == (200, 200)
    assert _tree(docroot) == before


@pytest.mark.timeout(90)
async def test_suspension_that_visitors_do_not_see_is_taken_back(ground: Path, tmp_path: Path) -> None:
    """Where the server does not read what was written, the site is open as before, and that is said."""
    docroot, account = ground / "site", site_account()
    (docroot / "index.html").write_text("hello")
    account.own(docroot)
    before = _tree(docroot)
    with Apache(ground / "apache", account, docroot) as apache:
        async with open_books(_config(tmp_path, apache.url, docroot), HastyClock()) as books:
            desk = SuspensionDesk(books, seen_within_s=0.5)
            with pytest.raises(TransitionRefused, match="return 503"):
                await desk.suspend("shop", Wish("a shell", "Ana", timedelta(days=1), Method.USER_INI), "ana")
            assert await desk.suspended() == {}

    assert _tree(docroot) == before
