"""Making a board a node: flashing, provisioning, looking, proving. What `zen node` does, without its screen."""
