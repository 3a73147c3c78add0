# One image for every service of docker-compose.yaml: Airflow and OutSmart Sync from the lock file, hashes and all.
FROM python:3.12.12-slim-bookworm AS build
WORKDIR /opt/outsmart-sync
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 VIRTUAL_ENV=/opt/venv UV_NO_CACHE=1
COPY requirements.txt pyproject.toml README.md LICENSE ./
COPY include include
# Of the lock file only what production needs; a constraint's hash is checked as well.
RUN pip install --no-cache-dir uv==0.13.8 \
    && python -m venv /opt/venv \
    && uv pip install --constraint requirements.txt setuptools \
    && uv pip install --constraint requirements.txt --no-build-isolation --compile-bytecode '.[production,sandbox]'

FROM python:3.12.12-slim-bookworm
RUN useradd --uid 50000 --create-home --home-dir /opt/airflow airflow \
    && install -d -o airflow /opt/airflow/logs /opt/airflow/sandbox
COPY --from=build /opt/venv /opt/venv
WORKDIR /opt/outsmart-sync
COPY dags dags
COPY plugins plugins
COPY sandbox sandbox
COPY scripts/administrator.py scripts/maintenance.py scripts/
COPY --chmod=755 deploy/entrypoint.sh deploy/entrypoint.sh
ENV PATH=/opt/venv/bin:$PATH \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/outsmart-sync/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/outsmart-sync/plugins \
    AIRFLOW__API__HOST=0.0.0.0
USER airflow
ENTRYPOINT ["/opt/outsmart-sync/deploy/entrypoint.sh"]
CMD ["airflow", "version"]
