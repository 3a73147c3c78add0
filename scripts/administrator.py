"""Makes Airflow's first administrator, whose password is in ADMIN_PASSWORD; changes nothing if there is one already."""

from __future__ import annotations

import os
import sys

NAME = "admin"


def main() -> int:
    """Make the user; returns the exit code."""
    password = os.environ.get("ADMIN_PASSWORD", "")
    if not password:
        sys.stderr.write("administrator: ADMIN_PASSWORD is not set; set it to the password of the first user\n")
        return 1
    from airflow.__main__ import main as airflow

    # In this very process: the command line of another one could be read by everybody on the machine.
    sys.argv = ["airflow", "users", "create", "--username", NAME, "--firstname", "First", "--lastname", "Administrator"]
    sys.argv += ["--role", "Admin", "--email", os.environ.get("ADMIN_EMAIL", "admin@localhost"), "--password", password]
    airflow()  # type: ignore[no-untyped-call]
    return 0


if __name__ == "__main__":
    sys.exit(main())
