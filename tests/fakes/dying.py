"""A cleaning that is killed before the so-many-th thing that it does to the outside."""

import os
import signal
from pathlib import Path
from typing import Any

from sentry.clock import SystemClock
from sentry.domain.cleaning import CleaningPlan
from sentry.remote.local_host import LocalHost
from sentry.services.cleaning_plans import CleaningPlans, Wishes
from sentry.services.cleanings import Cleanings
from sentry.services.site_files import SiteFiles
from tests.fakes.cleaning import Bench, Published, Scissors, proven


class Dying:
    """Counts the calls to what it stands before, and dies at one of them."""

    calls = 0
    last = 0

    def __init__(self, within: Any) -> None:
        self._within = within

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._within, name)
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            Dying.calls += 1
            if Dying.calls == Dying.last:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = found(*given, **named)
            return Dying(answer) if name == "begin" else answer

        return call


def clean_until(site: Path, data: Path, key: str, last: int) -> int:
    """Cleans in a process of its own that is killed before its so-many-th call; returns how it ended."""
    child = os.fork()
    if not child:
        try:
            _clean(site, Bench(data), key, last)
        except BaseException:  # noqa: BLE001  # the test is told by the status, and must not go on twice
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _clean(site: Path, bench: Bench, key: str, last: int) -> None:
    root, paths = os.fsencode(site), {one.name: os.fsencode(one.name) for one in sorted(site.iterdir())}
    known = Published({b"c.php": b"<?php // c\n"})
    plans = CleaningPlans(SiteFiles(LocalHost(), root), known, Scissors(), bench.chest)
    files = plans.files([proven(one) for one in paths], paths, Wishes())
    Dying.calls, Dying.last = 0, last
    host: Any = Dying(LocalHost())
    cleanings = Cleanings(
        host=host,
        journals=Dying(bench.journals),
        chest=Dying(bench.chest),
        register=Dying(bench.register),
        clock=SystemClock(),
    )
    cleanings.clean(CleaningPlan(key, "this machine", root, SystemClock().now(), files))
