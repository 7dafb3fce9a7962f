"""`zen node`: `app` holds the subcommands, the other modules what they show and do."""
