"""The report of a security audit, as files for people and programs."""
