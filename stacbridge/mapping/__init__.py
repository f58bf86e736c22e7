"""Catalogues as data: TOML rows, checked and compiled to what reads records and says what filters can name."""
