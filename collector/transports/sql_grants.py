"""What proves that a database account cannot write: its grants and the session's settings, never an attempt."""

import re

from sqlalchemy import Connection, text

# Rights are asked for every role that the account is or could become. Owners and those who may create tables can
# write; a function that runs with its owner's rights cannot be seen through from here.
_POSTGRESQL = text(
    """
    WITH me AS (
        SELECT oid, rolname, rolsuper OR rolcreaterole AS mighty FROM pg_catalog.pg_roles
        WHERE pg_catalog.pg_has_role(current_user, oid, 'MEMBER')
    ), seen AS (
        SELECT c.oid, c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    ), schemas AS (
        SELECT oid, nspowner FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    )
    SELECT
        (SELECT count(*) FROM me WHERE mighty OR rolname IN (
            'pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program')),
        (SELECT count(*) FROM me, seen WHERE me.oid = seen.relowner
            OR pg_catalog.has_table_privilege(me.oid, seen.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            OR pg_catalog.has_any_column_privilege(me.oid, seen.oid, 'INSERT, UPDATE')),
        (SELECT count(*) FROM me, schemas WHERE me.oid = schemas.nspowner
            OR pg_catalog.has_schema_privilege(me.oid, schemas.oid, 'CREATE')),
        (SELECT count(*) FROM me
            WHERE pg_catalog.has_database_privilege(me.oid, pg_catalog.current_database(), 'CREATE')),
        (SELECT count(*) FROM seen),
        current_user::text
    """
)

_HARMLESS = {
    "USAGE",
    "SELECT",
    "SHOW VIEW",
    "SHOW DATABASES",
    "PROCESS",
    "REPLICATION CLIENT",
    "BINLOG MONITOR",
    "SLAVE MONITOR",
    "REPLICA MONITOR",
}


def proof(connection: Connection) -> str | None:
    """Return, in words, what proves that the account cannot write; None if nothing does."""
    match connection.dialect.name:
        case "sqlite":
            return "the database file is opened read-only (mode=ro)"
        case "postgresql":
            *writing, tables, role = connection.execute(_POSTGRESQL).one()
            if any(writing):
                return None
            return f"role {role} is no superuser, owns nothing, and may change none of the {tables} tables and views"
        case "mysql" | "mariadb":
            return _mysql([row[0] for row in connection.exec_driver_sql("SHOW GRANTS").all()])
        case _:
            return None


def _mysql(grants: list[str]) -> str | None:
    # Only what is understood counts: a role, a proxy or an unknown right proves nothing.
    found: set[str] = set()
    for grant in grants:
        line = re.match(r"GRANT (.+?) ON (?:`|\*|TABLE )", grant)
        if line is None:
            return None
        found |= {right.strip() for right in re.sub(r"\([^)]*\)", "", line[1]).split(",")}
    if not found or not found <= _HARMLESS:
        return None
    return f"SHOW GRANTS names no right but {', '.join(sorted(found))}"
