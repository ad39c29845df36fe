"""All that `connectors/` and `indicators/` may import: the types that the rooms agree on."""
