"""What turns a package's catalogue into Airflow tasks; the only place besides dags/ and hooks that knows Airflow."""
