"""One TOML file a chip: limits and cost coefficients, every number beside its source and status."""
