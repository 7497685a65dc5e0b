"""Networks and experiments, one a file."""
