"""What a subclass of `CustomerSession` may add: its own fields, their types, and the checks of the class body."""
