"""The simulated building: real registers on real links, and its own physics, never the controller's model."""
