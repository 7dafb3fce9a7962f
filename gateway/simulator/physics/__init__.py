"""What really happens in the simulated building, in watts and watt-hours; no register and no socket."""
