"""What a building did, kept for ten years on this gateway: quarter hours, days, events and decisions."""
