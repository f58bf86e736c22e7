"""OGC OpenSearch, driven by each service's own description document."""
