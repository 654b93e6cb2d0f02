"""The search for stories: witnesses of rows and rule outcomes, and the fewest paths that cover the table or the rules."""
