"""Everything that is exported to Prometheus: tables of names, lines of the checks, and the agent's own registry."""
