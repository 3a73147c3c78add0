-- Run once, by psql as the superuser: three databases, each with an owner of its own that cannot enter the others.
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv celery_password CELERY_DB_PASSWORD
\getenv store_password STORE_DB_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE celery LOGIN PASSWORD :'celery_password';
CREATE ROLE outsmart_sync LOGIN PASSWORD :'store_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE celery OWNER celery;
CREATE DATABASE outsmart_sync OWNER outsmart_sync;
REVOKE CONNECT ON DATABASE airflow, celery, outsmart_sync FROM PUBLIC;
