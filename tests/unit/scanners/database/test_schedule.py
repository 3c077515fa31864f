"""Names of events that a program made up."""

import pytest

from scanners.database.schedule import CORE_HOOKS, looks_made_up


@pytest.mark.parametrize("name", ["wp_x9f3a1b7c2d", "a1b2c3d4e5f60718", "xkcdqwrtz", "wp_kQzXvBn", "cron-3f9ad2e17c"])
def test_event_with_a_random_name_looks_made_up(name: str) -> None:
    """Numbers among letters, or no vowels."""
    assert looks_made_up(name.encode())


@pytest.mark.parametrize(
    "name",
    [
        *sorted(one.decode() for one in CORE_HOOKS),
        "woocommerce_cleanup_sessions",
        "action_scheduler_run_queue",
        "wpseo_ryte_fetch",
        "updraft_backup",
        "itsec_purge_logs",
        "jetpack_v2_heartbeat",
        "rocket_purge_time_event",
        "wp_mail_smtp_admin_notifications_update",
        "aioseo_sitemap_2024",
    ],
)
def test_event_of_wordpress_and_its_plugins_does_not(name: str) -> None:
    """Words, abbreviations and versions."""
    assert not looks_made_up(name.encode())
