"""`run --workers N`: the probes of the agent, shared out over processes of this machine."""
