"""A record lived again slot by slot under somebody's levels, beside the limit; what the benches of homes count with."""
