"""Notices of a PostgreSQL server, on a connection that listens: nobody has to ask all the time.

A notice says only that it is worth looking. One that is lost costs the time until the next look.
"""

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError


class Notices:
    """Waits for notices.

    Args:
        engine: of the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._channels: set[str] = set()

    def wait(self, channel: str, about: str, timeout_s: float) -> None:
        """Wait for a notice of a channel about something, at most so long.

        Raises:
            OperationalError: the server cannot be reached.
        """
        import psycopg

        raw = self._listening(channel)
        try:
            for notice in raw.notifies(timeout=timeout_s):
                if (notice.channel, notice.payload) == (channel, about):
                    return
        except psycopg.Error as error:
            self.close()
            raise OperationalError("LISTEN", None, error) from error
        except BaseException:
            # Interrupted by a signal: nobody knows what is still on its way.
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        self._channels.clear()
        if connection is not None:
            with suppress(Exception):
                connection.invalidate()
                connection.close()

    def _listening(self, channel: str) -> Any:
        if self._connection is None:
            connection = self._engine.connect()
            # Outside of a transaction, in which notices would be held back.
            self._connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        raw = self._connection.connection.driver_connection
        if channel not in self._channels:
            self._connection.exec_driver_sql(f"LISTEN {channel}")
            self._channels.add(channel)
        return raw
