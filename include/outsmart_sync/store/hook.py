"""Airflow's face on the store: opens it from the connection ``outsmart_sync_store``."""

from __future__ import annotations

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from outsmart_sync.store import address
from outsmart_sync.store.store import Store


class StoreHook(BaseHook):
    """Opens the store.

    Args:
        store_conn_id: Airflow connection of type SQLite or Postgres.
    """

    conn_name_attr = "store_conn_id"
    default_conn_name = address.CONN_ID
    hook_name = "OutSmart Sync store"

    def __init__(self, store_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.store_conn_id = store_conn_id

    def get_conn(self) -> Store:
        """The store.

        Raises:
            NotConfigured: There is no such connection, or it names no database we support.
        """
        if self.store_conn_id == address.CONN_ID and (url := address.from_environment()):
            return Store(url)
        try:
            found = self.get_connection(self.store_conn_id)
        except AirflowNotFoundException:
            raise address.not_configured() from None
        return Store(
            address.from_parts(
                found.conn_type,
                found.host,
                found.login,
                found.password,
                found.port,
                found.schema,
                found.extra_dejson,
            )
        )
