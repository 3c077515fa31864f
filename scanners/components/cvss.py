"""The base score of a CVSS vector, versions 3.0 and 3.1 (https://www.first.org/cvss/v3.1/specification-document)."""

import math
from collections.abc import Mapping

_VALUES: Mapping[str, Mapping[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES: Mapping[str, Mapping[str, float]] = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}
WORDS = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))
TOP = 10.0


def base_score(vector: str) -> float | None:
    """Returns the base score of a vector, 0 to 10; None for what is no vector of version 3."""
    if not vector.startswith("CVSS:3."):
        return None
    metrics = dict(part.split(":", 1) for part in vector.split("/")[1:] if ":" in part)
    try:
        scope = metrics["S"]
        value = {name: values[metrics[name]] for name, values in _VALUES.items()}
        privileges = _PRIVILEGES[scope][metrics["PR"]]
    except KeyError:
        return None
    lost = 1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"])
    changed = scope == "C"
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * value["AV"] * value["AC"] * privileges * value["UI"]
    return _rounded_up(min((1.08 if changed else 1) * (impact + exploitability), TOP))


def severity_word(score: float) -> str:
    """Returns the word for a score: critical, high, medium, low or none."""
    return next((word for least, word in WORDS if score >= least), "none")


def _rounded_up(score: float) -> float:
    """Rounds up to one decimal, in whole numbers, as appendix A of the specification has it."""
    whole = round(score * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10
