"""Every metric that the code speaks of stands in the table, and every metric of the tables stands in the guide."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.metrics.families import CHECK_FAMILIES, PROBE_FAMILIES
from sentry.metrics.own import OWN_METRICS, MetricType

ROOT = Path(__file__).parents[3]
FOLDERS = ("sentry", "probes", "alerting", "scanners")
CALLS = {"count": {MetricType.COUNTER, MetricType.HISTOGRAM}, "gauge": {MetricType.GAUGE}}
RECEIVERS = {"telemetry", "_telemetry", "metrics"}


def _calls() -> Iterator[tuple[str, str, str, set[str]]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(_tree(path)):
                found = _call(node)
                if found is not None:
                    yield (f"{path.relative_to(ROOT)}:{node.lineno}", *found)  # type: ignore[attr-defined]  # a Call has a line


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _call(node: ast.AST) -> tuple[str, str, set[str]] | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in CALLS:
        return None
    receiver = node.func.value
    name = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
    if name not in RECEIVERS or not node.args or not isinstance(node.args[0], ast.Constant):
        return None
    return (
        node.func.attr,
        str(node.args[0].value),
        {word.arg for word in node.keywords if word.arg not in {None, "amount"}},
    )


def test_names_used_in_code_are_in_the_table() -> None:
    """A name, a use or a label that the table does not know would only be dropped and counted at run time."""
    wrong = []
    for where, method, name, labels in _calls():
        metric = OWN_METRICS.get(name)
        if metric is None or metric.type not in CALLS[method] or set(metric.labels) != labels:
            wrong.append(f"{where}: {method}({name!r}) with {sorted(labels)}")
    assert wrong == []


def test_names_in_the_table_are_all_measured() -> None:
    """A name that nothing ever counts or sets would promise a figure, and an alert on it, that never comes."""
    spoken = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "own.py":
                spoken |= {node.value for node in ast.walk(_tree(path)) if isinstance(node, ast.Constant)}
    assert OWN_METRICS.keys() - spoken == set()


def test_names_all_are_in_the_guide() -> None:
    """Whoever reads /metrics finds every name, with its labels, in docs/metrics.md."""
    guide = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([a-z][a-z0-9_]+)(?:\{[a-z0-9_, ]*\})?`", guide))
    own = {metric.full_name for metric in OWN_METRICS.values()}
    assert {*PROBE_FAMILIES, *CHECK_FAMILIES, *own} - documented == set()
    for metric in OWN_METRICS.values():
        if metric.labels:
            assert f"`{metric.full_name}{{{','.join(metric.labels)}}}`" in guide, metric.full_name


def test_names_in_the_guide_all_exist() -> None:
    """The guide promises no metric that is not there."""
    guide = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `((?:probe|sentry)_[a-z0-9_]+)", guide, re.MULTILINE))
    own = {metric.full_name for metric in OWN_METRICS.values()}
    assert told <= {*PROBE_FAMILIES, *CHECK_FAMILIES, *own}


@pytest.mark.parametrize("metric", OWN_METRICS.values(), ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: object) -> None:
    """Counters end in _total, others do not; times are seconds."""
    assert hasattr(metric, "name")
    found = OWN_METRICS[metric.name]
    assert found.name.endswith("_total") == (found.type is MetricType.COUNTER)
    assert not re.search(r"_(ms|minutes|hours|milliseconds)(_|$)", found.name)
    assert found.help.endswith(".")
    assert bool(found.buckets) == (found.type is MetricType.HISTOGRAM)
