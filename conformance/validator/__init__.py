"""stac-api-validator without the internet: schemas come from pystac's own files and the folder STACBRIDGE_SCHEMAS."""
