"""One modern STAC API over Earth-observation archives that speak older languages."""
