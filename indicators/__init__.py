"""What is measured: one module per family, each with its declarations in `INDICATORS`."""
