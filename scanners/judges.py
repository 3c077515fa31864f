"""Builds what judges files, in the process that judges them."""

from scanners.foreign_rules import ForeignRules
from scanners.malware import ENGINES, Malware
from sentry.domain.rule_folder import RuleSource


def judge_by(sources: tuple[RuleSource, ...]) -> Malware:
    """Returns the agent's own engines and rules, and the rules of others beside them."""
    return Malware((*ENGINES, ForeignRules(sources))) if sources else Malware()
