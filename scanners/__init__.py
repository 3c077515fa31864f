"""What an audit looks with: one scanner per kind, by name. The audit brings them; the watch needs none."""

KINDS: dict[str, type] = {}
