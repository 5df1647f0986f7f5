#!/usr/bin/env bash
# Takes a gateway away: its login, and what the broker keeps of it, so that it leaves the page and Home Assistant.
#
#   ./remove-gateway.sh shop-1 [--folder /etc/sluice-central]
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/logins.sh"
id=""
folder=/etc/sluice-central
while [ $# -gt 0 ]; do
  case $1 in
    --folder) folder=${2:?--folder wants a path}; shift 2 ;;
    -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) refuse "there is no option $1; --help tells" ;;
    *) [ -z "$id" ] || refuse "one gateway at a time: $id, and then $1"; id=$1; shift ;;
  esac
done
[[ $id =~ $gateway_id ]] || refuse "usage: $0 GATEWAY [--folder DIR]"
[ "$id" != dashboard ] || refuse "dashboard is the people's login, and no gateway"
if [ ! -f "$folder/passwords" ] || ! grep -q "^$id:" "$folder/passwords"; then
  echo "there is no gateway $id in $folder/passwords" >&2
  exit 1
fi
need openssl mosquitto_passwd mosquitto_sub
# With a new password the gateway is out, and we are let in to its topics: nobody else may write them.
password=$(openssl rand -hex 16)
change_passwords -b "$folder/passwords" "$id" "$password"
reload_broker
sleep 1
host=$(sed -n 's/^# host: //p' "$folder/mosquitto.conf")
# 27: so long nothing more came.
mosquitto_sub -h "$host" -p 8883 --cafile "$folder/tls/ca.pem" -u "$id" -P "$password" -i "remove-$id" \
  -t "sluice/$id/#" -t "homeassistant/device/$id/#" --remove-retained -W 3 >/dev/null || [ $? = 27 ] || {
  echo "the broker was not to be reached, so it may still hold what $id told; its login is gone" >&2
}
change_passwords -D "$folder/passwords" "$id"
reload_broker
echo "$id is removed"
