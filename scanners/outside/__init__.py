"""Whether a site shows everybody the same."""
