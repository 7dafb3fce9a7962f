"""The ends of the gateway: one module per foreign library, each speaking our types to the inside."""
