"""What is measured. Every module here is found by itself; it offers its comparisons as ``COMPARISONS``.

A module imports what it measures within the functions that set it up: each runs in a process of its own, and the
command itself has nothing but Python.
"""
