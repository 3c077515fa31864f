"""Packs: what a component consists of as it was published."""
