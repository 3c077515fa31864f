"""A site as it is seen over the web: one request after the other, each bounded."""
