"""How alerts leave: e-mail through Airflow's SMTP connection, webhooks, and Airflow's notifiers."""
