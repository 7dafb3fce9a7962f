"""The closed-loop bench: buildings in virtual time, at seconds, with late meters."""
