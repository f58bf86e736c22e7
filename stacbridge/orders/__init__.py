"""Orders of bytes that are offline: what is kept of them, how they go on, and who drives them."""
