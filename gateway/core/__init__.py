"""What decides. Values in, values out: no await, clock, socket, logger or random in here."""
