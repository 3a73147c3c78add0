#!/bin/sh
# Runs a command with each secret that a variable NAME_FILE points to in the variable NAME, as Docker's and Kubernetes'
# secrets are files: OUTSMART_SYNC_VAULT_KEYS_FILE=/run/secrets/vault_keys sets OUTSMART_SYNC_VAULT_KEYS.
set -eu
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)_FILE=.*/\1/p'); do
    case $name in AIRFLOW_*|OUTSMART_SYNC_*|ADMIN_*) ;; *) continue ;; esac
    eval "file=\$${name}_FILE"
    [ -r "$file" ] || {
        echo "entrypoint: ${name}_FILE is $file, which cannot be read: mount it, or set $name itself" >&2
        exit 1
    }
    export "$name=$(cat "$file")"
done
# What .env says of a key that is in a file is no key: the file was not given to this container.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=\(.*,\)\{0,1\}in-a-file\(,.*\)\{0,1\}$/\1/p'); do
    echo "entrypoint: $name is in-a-file, which stands for a file of deploy/secrets and is no secret: add" \
        "docker-compose.secrets.yaml to COMPOSE_FILE in .env (python3 scripts/env_file.py does), or set $name itself" \
        "(for a worker on another machine, env_file.py --worker does)" >&2
    exit 1
done
# The sandbox's connections are the ones that are used unless others are named: not in production, by oversight.
if [ -n "${OUTSMART_SYNC_SANDBOX_HOST:-}" ] && ! getent hosts "$OUTSMART_SYNC_SANDBOX_HOST" >/dev/null; then
    echo "entrypoint: the vendors' connections are the sandbox's, and no sandbox runs: set CONNECTIONS_FILE=connections.env" \
        "in .env and fill that file in (connections.env.example), or start with --profile sandbox" >&2
    exit 1
fi
exec "$@"
