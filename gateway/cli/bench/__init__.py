"""`zen bench`: one module per bench; `app` holds the subcommands."""
