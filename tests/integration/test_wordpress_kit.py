"""The real WordPress of the kit: it is served, it is its own account's, and each copy is as it was installed."""

import pytest

from tests.integration.servers.wordpress import ADMIN, wordpress_kit

pytestmark = pytest.mark.integration


def test_wordpress_kit_when_started_serves_the_installed_site() -> None:
    """A visitor gets WordPress' own page, made from the database."""
    with wordpress_kit().site() as site:
        page = site.fetch()
        assert page.status == 200
        assert "Hello world!" in page.text
        assert site.sql("SELECT user_login FROM wp_users") == f"{ADMIN}\n"
        assert site.fetch("/wp-login.php").status == 200


def test_wordpress_kit_when_a_copy_was_changed_hands_out_an_untouched_one() -> None:
    """What one test does to its site, no other sees; and every file is the account's."""
    with wordpress_kit().site() as site:
        site.write("wp-content/uploads/left.php", "<?php echo 1;")
        site.php("wp_insert_post(['post_title' => 'Left', 'post_status' => 'publish']);")
        assert "Left" in site.fetch().text
    with wordpress_kit().site() as site:
        assert not (site.docroot / "wp-content/uploads/left.php").exists()
        assert "Left" not in site.fetch().text
        owners = {path.stat().st_uid for path in site.docroot.rglob("*")}
        assert owners == {site.account.user_id}
