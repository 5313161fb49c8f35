"""How many of something there are now, by what clusters said last. `rules` is pure; `queries` asks the database."""
