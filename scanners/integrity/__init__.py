"""What differs from what was published: changed, missing and additional files of what is installed."""
