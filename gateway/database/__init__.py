"""What the database holds: its measurements, and the rows that go there."""
