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
exec "$@"
