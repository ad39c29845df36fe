"""Where readings go: JSON, the terminal, Prometheus."""
