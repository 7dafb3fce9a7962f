"""Messages of nodes: tables out, records and answers in."""
