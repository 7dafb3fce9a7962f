"""What must not be lost: the outbox, the past in it, and the way to the database."""
