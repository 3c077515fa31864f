"""The plugin that says which promises are shown, and the rules that tests/conftest.py lays on every test."""

import asyncio
import socket
from pathlib import Path

import pytest
import pytest_socket

from tests.promises import PromiseBoard, read_promises

CONFTEST = Path(__file__).parents[2] / "conftest.py"

MARKED = """
    import pytest

    @pytest.mark.promise("001-29")
    def test_slot(): pass

    @pytest.mark.promise("001-29", "001-31")
    def test_alert(): assert False

    @pytest.mark.promise("001-23")
    @pytest.mark.parametrize("days", [28, 30, 31])
    def test_budget(days): pass

    def test_other(): assert False
"""


def run(pytester: pytest.Pytester, test_file: str, *arguments: str) -> pytest.RunResult:
    """Runs pytest on one test file with nothing but the promise plugin."""
    pytester.makepyfile(test_file)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nmarkers =\n    promise(*ids): shows\n")
    return pytester.runpytest_inprocess("-p", "tests.promises", *arguments)


def test_promises_of_the_repository_have_unique_ids_and_behaviour() -> None:
    """The list is whole: each line has its own id and says what a test can show."""
    promises = read_promises()
    assert len(promises) > 100
    assert all(promise.behaviour and promise.area for promise in promises.values())
    assert promises["001-29"].phrase.endswith("cada 1 minuto")


def test_promises_option_runs_marked_tests_and_prints_their_outcome(pytester: pytest.Pytester) -> None:
    """A promise is shown when all its tests pass, failed when one fails, and listed when no test names it."""
    result = run(pytester, MARKED, "--promises")
    result.assert_outcomes(passed=4, failed=1, deselected=1)
    result.stdout.fnmatch_lines_random(
        [
            "failed   001-29 watch *",
            "* passed: *::test_slot",
            "* failed: *::test_alert",
            "shown    001-23 budget *",
            "* passed: *::test_budget (3 cases)",
            "no test  001-01 desk *",
            "1 of * promises shown, * have no test",
        ]
    )


def test_promises_option_absent_runs_everything_and_prints_no_table(pytester: pytest.Pytester) -> None:
    """An ordinary run is left as it is."""
    result = run(pytester, MARKED)
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.no_fnmatch_line("*promises shown*")


@pytest.mark.parametrize("arguments", ['"001-999"', ""])
def test_promise_mark_with_unknown_or_no_id_stops_the_run(pytester: pytest.Pytester, arguments: str) -> None:
    """A mistyped id cannot pass for a shown promise."""
    result = run(pytester, f"import pytest\n@pytest.mark.promise({arguments})\ndef test_it(): pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*@pytest.mark.promise names*promises.tsv*"])


def test_promise_with_a_skipped_test_is_not_shown() -> None:
    """What did not run shows nothing."""
    board = PromiseBoard(read_promises())
    board.claim("test_x", ("001-29",))
    assert board.outcome("001-29") == "not run"
    board.note("test_x", "passed")
    board.note("test_x", "skipped")
    board.note("test_x", "passed")
    assert board.outcome("001-29") == "skipped"


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_integration_test_skipped_fails_in_ci_only(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str
) -> None:
    """A missing server must not pass for a tested one where it should have been installed."""
    monkeypatch.setenv("CI", ci)
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\nmarkers = ["integration", "promise", "timeout"]\n')
    pytester.path.joinpath("conftest.py").write_text(CONFTEST.read_text())
    pytester.makepyfile("""
        import pytest

        @pytest.mark.integration
        def test_server(): pytest.skip("no nginx")

        def test_other(): pytest.skip("not here")
    """)
    result = pytester.runpytest_subprocess("-ra", f"--rootdir={pytester.path}")
    result.assert_outcomes(**{outcome: 1, "skipped": 2 if outcome == "skipped" else 1})
    result.stdout.fnmatch_lines(["*no nginx*"])


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_unit_test_opening_a_socket_is_refused() -> None:
    """Nothing in tests/unit reaches a network."""
    with pytest.raises(pytest_socket.SocketBlockedError):
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)


async def test_unit_test_with_an_event_loop_runs() -> None:
    """The loop's own pair of Unix sockets is allowed."""
    assert await asyncio.to_thread(lambda: 1) == 1
