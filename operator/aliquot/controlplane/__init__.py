"""The control plane: tenants' clusters, departments, projects, users and rights, over REST, in a database.

`main.run` is the process, `app.application` what it serves. Each resource has a room: `routes` (HTTP), `rules` (pure),
`queries` (the database). Rooms reach the database only through a `Permit`, which only the check of rights makes
(`auth.gate`). Amounts are as the Administrator API has them; times are milliseconds since 1970-01-01 UTC.
"""
