"""Catalogues as data: TOML rows, compiled into what reads records and tells what filters may name."""
