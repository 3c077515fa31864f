"""Where files that were cleaned are kept, and what was done to them: folders of the agent's own machine."""
