"""stac-api-validator without the internet: schemas are pystac's own, and those in STACBRIDGE_SCHEMAS."""
