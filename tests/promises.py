"""The pytest plugin behind `scripts/test --promises`: runs the tests that show a promise and prints which hold.

A test names the promises that it shows with `@pytest.mark.promise("001-29")`; the ids stand in data/promises.tsv. A
promise is shown when every test that carries its id passed.
"""

import csv
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROMISES_FILE = Path(__file__).parent / "data" / "promises.tsv"


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of promises.tsv."""

    id: str
    area: str
    phrase: str
    behaviour: str


@dataclass(slots=True)
class PromiseBoard:
    """Which tests carry which promise, and how each test ended."""

    promises: dict[str, Promise]
    tests: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    outcomes: dict[str, str] = field(default_factory=dict)

    def claim(self, nodeid: str, ids: tuple[str, ...]) -> None:
        """Notes that a test shows these promises.

        Raises:
            pytest.UsageError: an id is not in promises.tsv, or the mark has none.
        """
        unknown = [str(id_) for id_ in ids if id_ not in self.promises]
        if unknown or not ids:
            named = ", ".join(unknown) or "nothing"
            raise pytest.UsageError(f"{nodeid}: @pytest.mark.promise names {named}; the ids stand in {PROMISES_FILE}")
        for id_ in ids:
            self.tests[id_].append(nodeid)

    def note(self, nodeid: str, outcome: str) -> None:
        """Keeps the worst outcome of a test's phases."""
        order = ("passed", "skipped", "failed")
        self.outcomes[nodeid] = max(self.outcomes.get(nodeid, "passed"), outcome, key=order.index)

    def outcome(self, id_: str) -> str:
        """Returns `shown`, or what the tests of a promise ended with where they did not all pass."""
        worst = self._worst(self.tests[id_])
        return "shown" if worst == "passed" else worst

    def _worst(self, nodeids: Iterable[str]) -> str:
        ends = {self.outcomes.get(nodeid, "not run") for nodeid in nodeids}
        return next((end for end in ("failed", "skipped", "not run") if end in ends), "passed")

    def _tests_of(self, id_: str) -> list[str]:
        """Returns a line for each test of a promise; the cases of a parametrised test share one."""
        cases: dict[str, list[str]] = defaultdict(list)
        for nodeid in self.tests[id_]:
            cases[nodeid.partition("[")[0]].append(nodeid)
        return [
            f"{'':16} {self._worst(nodeids)}: {test}" + (f" ({len(nodeids)} cases)" if len(nodeids) > 1 else "")
            for test, nodeids in cases.items()
        ]

    def lines(self) -> list[str]:
        """Returns the table: every promise with tests and their outcome, then those without, then the sum."""
        claimed = [promise for promise in self.promises.values() if self.tests.get(promise.id)]
        unclaimed = [promise for promise in self.promises.values() if not self.tests.get(promise.id)]
        lines = []
        for promise in claimed:
            lines.append(f"{self.outcome(promise.id):8} {promise.id} {promise.area:8} {promise.behaviour}")
            lines += self._tests_of(promise.id)
        lines += [f"no test  {promise.id} {promise.area:8} {promise.behaviour}" for promise in unclaimed]
        shown = sum(self.outcome(promise.id) == "shown" for promise in claimed)
        lines.append(f"{shown} of {len(self.promises)} promises shown, {len(unclaimed)} have no test")
        return lines


def read_promises(path: Path = PROMISES_FILE) -> dict[str, Promise]:
    """Returns the promises by id, in the order of the file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        first, area, phrase, behaviour = rows.fieldnames or ()
        return {row[first]: Promise(row[first], row[area], row[phrase], row[behaviour]) for row in rows}


BOARD = pytest.StashKey[PromiseBoard]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--promises`."""
    parser.addoption("--promises", action="store_true", help="run the tests that show a promise; print which hold")


def pytest_configure(config: pytest.Config) -> None:
    """Reads the promises once per run."""
    config.stash[BOARD] = PromiseBoard(read_promises())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Notes who shows what; with `--promises` the other tests are left out."""
    board = config.stash[BOARD]
    for item in items:
        for mark in item.iter_markers("promise"):
            board.claim(item.nodeid, mark.args)
    if config.getoption("promises"):
        others = [item for item in items if item.get_closest_marker("promise") is None]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.get_closest_marker("promise")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keeps how each phase of a test ended."""
    report = yield
    item.config.stash[BOARD].note(item.nodeid, report.outcome)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the table after a run with `--promises`."""
    if not config.getoption("promises"):
        return
    terminalreporter.section("promises")
    for line in config.stash[BOARD].lines():
        terminalreporter.write_line(line)
