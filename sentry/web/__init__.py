"""The agent's own web server: metrics, interface, pages, heartbeats and control."""
