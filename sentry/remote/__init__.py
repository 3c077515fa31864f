"""Reaching the machines that sites stand on, this one among them."""
