"""What a store does to its tables, each as one function of a connection."""
