"""How alerts leave: e-mail through Airflow's SMTP connection, and webhooks."""
