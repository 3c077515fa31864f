"""Which components a site is made of, and which of them have holes that are known."""
