"""The tables of a store, and the databases that hold them."""
