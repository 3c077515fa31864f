"""`demo`: the whole story, as a user sees it."""

import re
import subprocess
import time

import pytest

from tests.integration.cli.conftest import PROGRAM

STEPS = (
    "Four real web sites run on this machine",
    "The certificate of one site expired three days ago",
    "The shop begins to answer 500",
    "Outage of shop confirmed",
    "Outage of bookings confirmed",
    "Ticket 2 is filed",
    "The alert (opened) is accepted",
    "Somebody repairs both",
    "Recovery of shop confirmed",
    "Recovery of bookings confirmed",
    "The alert (resolved) is accepted",
    "The client's monthly report is written",
)


@pytest.mark.timeout(150)
def test_demo_tells_the_whole_story_within_two_minutes() -> None:
    """Each step in its order with where to look; then the store it left answers the commands it names."""
    began = time.monotonic()
    ended = subprocess.run([PROGRAM, "demo"], capture_output=True, text=True, timeout=140, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - began < 120
    told = re.findall(r"^(\d+)\. (.*)  \d\d:\d\d:\d\d UTC$", ended.stdout, re.MULTILINE)
    assert [int(number) for number, _ in told] == list(range(1, len(STEPS) + 1))
    assert [text for (_, text), step in zip(told, STEPS, strict=True) if not text.startswith(step)] == []
    assert "│ [SEV1] shop is down: error 500 (#2)" in ended.stdout
    assert "look at http://127.0.0.1:" in ended.stdout
    named = re.findall(r"online-sentry (--config \S+ .*)$", ended.stdout, re.MULTILINE)
    assert len(named) == 3
    for command in named:
        read = subprocess.run([PROGRAM, *command.split()], capture_output=True, text=True, timeout=30, check=False)
        assert (read.returncode, read.stderr) == (0, ""), command
        assert "127.0.0.1" in read.stdout or "shop" in read.stdout
