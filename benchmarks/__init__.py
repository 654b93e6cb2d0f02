"""Benchmarks of the library and its peers: ``python -m benchmarks``. README.md describes the method."""
