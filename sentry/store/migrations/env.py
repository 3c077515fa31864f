"""Alembic's entry: runs the migrations on the connection that the store hands over, in its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,  # SQLite takes DDL back as well; Alembic does not assume so
)
context.run_migrations()
