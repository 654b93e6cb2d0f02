"""Analyses of definitions: lint, purity, diff, equivalence, dead ends."""
