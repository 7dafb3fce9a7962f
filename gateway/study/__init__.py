"""Studies: recorded buildings lived again in virtual time, with the very planner of the gateway, beside their limit."""
