"""What the documentation takes from the code, so that it cannot go stale: extensions of Sphinx, for this site alone."""
