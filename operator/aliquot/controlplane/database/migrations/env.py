"""How migrations are run: on the connection that `migrating` gives, in its transaction."""

from alembic import context

from aliquot.controlplane.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=False
)
context.run_migrations()
