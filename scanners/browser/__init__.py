"""Judges what acts in the browser of a visitor: scripts, and what stands in pages. Nothing is ever run."""
