"""What a person or a DAG can ask for. Runs in any Python process; nothing here knows Airflow."""
