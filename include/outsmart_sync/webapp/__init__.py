"""The page *Software integrations* inside the Airflow UI."""
