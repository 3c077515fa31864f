"""What the agent asks of Python's collector and of the C library, and that it is taken back."""

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from sentry.app.memory import SWITCH_S, beside_the_loop, give_back, put_aside


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """Whatever a test froze is thawed."""
    yield
    gc.unfreeze()
    gc.enable()


class Thing:
    """Something that can point to itself."""

    itself: "Thing"


def test_put_aside_what_lives_is_not_walked_again_and_garbage_is_gone() -> None:
    """A cycle that nobody holds is collected before the rest is put aside."""
    lost = Thing()
    lost.itself = lost
    seen, kept = weakref.ref(lost), Thing()
    del lost
    gc.unfreeze()

    put_aside()

    assert seen() is None
    assert gc.get_freeze_count() > 1000
    assert not any(each is kept for each in gc.get_objects())


def test_beside_the_loop_switches_often_and_does_not_collect_until_it_ends() -> None:
    """Also when the work fails."""
    before = sys.getswitchinterval()
    during: list[object] = []

    def fail() -> None:
        during.extend((sys.getswitchinterval(), gc.isenabled()))
        raise KeyError

    with pytest.raises(KeyError), beside_the_loop():
        fail()
    assert during == [pytest.approx(SWITCH_S), False]
    assert sys.getswitchinterval() == before
    assert gc.isenabled()


async def test_give_back_returns_wherever_it_runs() -> None:
    """There may be no such call in the C library; the agent runs on."""
    await give_back()
