"""Judges a file by where it stands, what it is called and what it is in truth; nothing of it is read as code."""
