"""pystac-client as the tutorial of ESA MAAP uses it."""
