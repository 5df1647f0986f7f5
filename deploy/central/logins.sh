# What the scripts beside it share: refusals, and logins at the broker. `folder` is set by then.

gateway_id='^[a-z0-9-]{1,48}$'

# Whoever called it wrongly is told so.
refuse() {
  echo "$1" >&2
  exit 2
}

# Says what is missing, and ends.
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null && continue
    echo "$tool is missing: apt-get install openssl mosquitto mosquitto-clients (where Mosquitto runs in a container, too)" >&2
    exit 1
  done
}

# Changes the file by mosquitto_passwd, which makes it anew: mode and group go back to what set-up.sh gave them.
change_passwords() {
  local file=$folder/passwords mode group
  mode=$(stat -c %a "$file")
  group=$(stat -c %g "$file")
  if ! mosquitto_passwd "$@" >/dev/null 2>"$folder/.passwd-error"; then
    cat "$folder/.passwd-error" >&2
    exit 1
  fi
  rm "$folder/.passwd-error"
  chmod "$mode" "$file"
  [ "$(id -u)" != 0 ] || chgrp "$group" "$file"
}

# Mosquitto reads its passwords again on SIGHUP, and parts with whoever has none any more.
reload_broker() {
  if systemctl --quiet is-active mosquitto 2>/dev/null; then
    systemctl reload mosquitto
  else
    echo "Mosquitto is no service here; make it read its passwords again: docker compose kill -s HUP broker" >&2
  fi
}
