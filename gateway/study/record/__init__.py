"""What was recorded: files, stamps and units of a user's building, and the prices and CO2 of its steps."""
