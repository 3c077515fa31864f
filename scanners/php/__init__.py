"""Judges PHP by what it does: source is read as a tree and partly evaluated, never executed."""
