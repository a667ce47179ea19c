"""Where records end up: SQLite always, other stores beside it. Each sink follows the journal by itself."""
