"""Mutation testing of a definition: the mutants, and the runner that injects them into a test command."""
