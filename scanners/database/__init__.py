"""Looks through a site's database: what it would put into pages, who may act in it, what runs in it by itself."""
