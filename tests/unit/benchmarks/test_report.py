import json
from pathlib import Path

import pytest

from benchmarks.measure import RunRejected
from benchmarks.report import Owed, Report, compared, finish, write_json


def test_compared_peer_costs_eight_times_as_much_is_eight_times_cheaper() -> None:
    """The ratio is of medians, and above 1 where a row is cheaper than its peer."""
    ours, peer = compared("http", {"ours": [0.1, 0.2, 9.0], "peer": [1.6, 1.5, 1.7]})

    assert ours.ratio_to == {"peer": pytest.approx(8.0)}
    assert peer.ratio_to == {"ours": pytest.approx(0.125)}
    assert (ours.name, ours.case, ours.cpu_ms) == ("ours", "http", 0.2)


def test_write_json_rows_have_the_promised_shape(tmp_path: Path) -> None:
    """`rows` holds name, case, cpu_ms and ratio_to; what else was measured stands beside them."""
    rows = compared("tls", {"ours": [2.0], "peer": [3.0]}, {"ours": {"rss_mb": 77.0}})
    write_json(Report("open_loop", rows, [Owed("memory, MB", 150, 77.0, at_most=True)]), tmp_path / "out.json")

    written = json.loads((tmp_path / "out.json").read_text())
    assert written["rows"][0] == {
        "name": "ours",
        "case": "tls",
        "cpu_ms": 2.0,
        "ratio_to": {"peer": 1.5},
        "cpu_ms_of_rounds": [2.0],
        "rss_mb": 77.0,
    }
    assert written["owed"] == [{"figure": "memory, MB", "at_most": 150, "measured": 77.0, "met": True}]


@pytest.mark.parametrize(("measured", "met"), [(8.1, True), (7.9, False), (None, None)])
def test_owed_at_least_is_met_from_its_bound_on(measured: float | None, *, met: bool | None) -> None:
    """A figure that was not measured is neither met nor missed."""
    assert Owed("times cheaper", 8.0, measured).met is met


def test_finish_rejected_run_prints_no_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A benchmark whose probes failed says why, ends with 1 and writes no file."""

    def reject() -> Report:
        raise RunRejected("aiohttp: 3 of 4 probes went well")

    with pytest.raises(SystemExit) as ended:
        finish(reject, tmp_path / "out.json")

    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "no figure: aiohttp: 3 of 4 probes went well\n")
    assert not (tmp_path / "out.json").exists()
