"""A worker that applies recorded operations to sessions, once each, and publishes what came of them."""
