"""What the tool costs: `make bench`, one table, `ARGS=--json` for programs."""
