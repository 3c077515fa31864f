"""Cuts an injection out of a file of which no pristine copy is known."""
