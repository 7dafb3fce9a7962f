"""What a building used, made, stored and paid, quarter hour by quarter hour."""
