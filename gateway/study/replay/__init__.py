"""A record replayed slot by slot under given levels, beside the limit: the basis of the benches of homes."""
