"""Judges the settings of web servers and of PHP that stand among the files of a site."""
