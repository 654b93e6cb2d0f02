"""How fast the library is, measured against everyone: ``python -m benchmarks``. README.md says how it is done."""
