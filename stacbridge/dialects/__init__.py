"""Protocols of upstream catalogues: a query becomes a request, a reply becomes a page of records. No I/O."""
