"""Where Alembic starts: write SQL for the asked dialect; running it is the drivers' work."""

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect"],
    literal_binds=True,
    transactional_ddl=True,
    version_table="alembic_version",
)
context.run_migrations()
