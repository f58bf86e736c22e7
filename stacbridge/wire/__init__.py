"""The control plane: small answers of upstreams, read whole, under one rule for credentials and redirects."""
