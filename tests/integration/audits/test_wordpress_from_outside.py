"""A real WordPress looked at from outside: as it was installed, and with what people leave behind."""

import pytest

from scanners.exposure.examiner import ExposureExaminer
from scanners.malware import Malware
from scanners.outside.examiner import OutsideExaminer
from scanners.web.client import HttpWeb
from scanners.web.visitors import plain
from sentry.clock import SystemClock
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.finding import Finding, FindingClass
from sentry.domain.site import CheckOptions, Site
from tests.fakes.scene import scene_of
from tests.integration.servers.wordpress import WordPress, wordpress_kit

pytestmark = pytest.mark.integration

LIMITS = AuditVisits(pause_s=0)
LEFT_BEHIND = {
    ".git/HEAD": "ref: refs/heads/main\n",
    "wp-config.php.save": "<?php define('DB_PASSWORD', 'x');\n",
    "wp-content/debug.log": "[02-Nov-2026 09:00:00 UTC] PHP Warning:  Undefined variable $x in /srv/a.php\n",
    "wp-content/uploads/old_db.sql": "-- MariaDB dump 10.19\nCREATE TABLE `wp_users` (id int);\n",
}


def seen_from_outside(wordpress: WordPress) -> list[Finding]:
    """Looks at it as an audit does, without waiting in between."""
    site = Site(key="shop", url=wordpress.url, checks=(CheckOptions(kind="http"),))
    scene = scene_of(wordpress.docroot, site=site, clock=SystemClock())

    def opened(each: Site) -> HttpWeb:
        return HttpWeb(str(each.url), LIMITS, SystemClock().monotonic)

    examiners = (
        ExposureExaminer(opened, plain("online-sentry")),
        OutsideExaminer(opened, Malware().judge, LIMITS.pages),
    )
    found = [one for examiner in examiners for one in examiner.examine(scene)]
    assert all(part.startswith("looked at") for part in scene.manifest.parts.values()), scene.manifest.parts
    return found


@pytest.mark.timeout(180)
@pytest.mark.promise("002-07")
def test_wordpress_as_installed_is_advice_alone_until_something_is_left_behind() -> None:
    """Nothing of a fresh one is exposed; a repository, a copy, a log and a dump are, and each has its own rule."""
    with wordpress_kit().site() as wordpress:
        before = seen_from_outside(wordpress)
        for path, content in LEFT_BEHIND.items():
            wordpress.write(path, content)
        after = seen_from_outside(wordpress)

    assert {one.verdict for one in before} == {FindingClass.ADVICE}
    assert {"xmlrpc_answers", "names_by_rest", "version_in_page"} <= {one.signs[0].rule for one in before}
    drift = {(one.path, one.signs[0].rule) for one in after} - {(one.path, one.signs[0].rule) for one in before}
    assert drift == {
        (f"{wordpress.url}/.git/HEAD", "git_repository_served"),
        (f"{wordpress.url}/wp-config.php.save", "configuration_served"),
        (f"{wordpress.url}/wp-content/debug.log", "log_served"),
        (f"{wordpress.url}/wp-content/uploads/old_db.sql", "database_dump_served"),
    }
