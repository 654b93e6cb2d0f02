"""What can be said of a definition without its tests: lint, purity, diff, equivalence, dead ends."""
