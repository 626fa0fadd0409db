"""Errors of the driver of PostgreSQL, for those who must not load it: a process over SQLite never meets one."""

import sys


def and_servers(name: str, *errors: type[Exception]) -> tuple[type[Exception], ...]:
    """These and the driver's class of that name; without it where no driver is loaded, for then nobody raised one."""
    driver = sys.modules.get("psycopg.errors")
    return errors if driver is None else (*errors, getattr(driver, name))
