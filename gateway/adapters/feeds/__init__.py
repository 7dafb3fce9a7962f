"""What comes from the internet, and is never needed."""
