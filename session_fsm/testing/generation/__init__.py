"""The search for sessions and steps that show what is asked for: witnesses, and the shortest paths."""
