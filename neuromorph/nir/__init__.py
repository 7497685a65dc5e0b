"""NIR, the exchange format of the field: networks in and out."""
