"""The coverage of a definition: the recorder with its hooks and counters, and the reports."""
