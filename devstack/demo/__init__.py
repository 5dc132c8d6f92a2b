"""The demonstration: one real morning of a shop, put through the gateway by its customers and staff."""
