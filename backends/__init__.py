"""Backends: each runs programs on one simulator; none imports another."""
