"""Looks at the account that a site runs under: what it starts by itself, who may come in, who may write what."""
