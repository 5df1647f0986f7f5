#!/usr/bin/env bash
# A login for one more gateway: its id is its user name at the broker. Prints what belongs into its sluice.yaml; given a gateway that
# has one already, it gets a new password. `homeassistant` is no gateway but Home Assistant: it hears and commands all of them.
#
#   ./add-gateway.sh shop-1 [--folder /etc/sluice-central] [--nginx]      --nginx: the master is nginx-rtmp, not Sluice
#   ./add-gateway.sh homeassistant
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/logins.sh"
id=""
folder=/etc/sluice-central
master=sluice
while [ $# -gt 0 ]; do
  case $1 in
    --folder) folder=${2:?--folder wants a path}; shift 2 ;;
    --nginx) master=nginx; shift ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) refuse "there is no option $1; --help tells" ;;
    *) [ -z "$id" ] || refuse "one gateway at a time: $id, and then $1"; id=$1; shift ;;
  esac
done
[[ $id =~ $gateway_id ]] || refuse "usage: $0 GATEWAY [--folder DIR] [--nginx]: 1 to 48 lower-case letters, digits or hyphens, as gateway.id"
[ "$id" != dashboard ] || refuse "dashboard is the name of the people's login; choose another id"
if [ ! -f "$folder/passwords" ]; then
  echo "$folder/passwords is missing: run set-up.sh first" >&2
  exit 1
fi
need openssl mosquitto_passwd
password=$(openssl rand -hex 16)
change_passwords -b "$folder/passwords" "$id" "$password"
reload_broker
host=$(sed -n 's/^# host: //p' "$folder/mosquitto.conf")
if [ "$id" = homeassistant ]; then
  cat <<END
In Home Assistant, under Settings, Devices & services, MQTT: broker $host, port 8883, user $id, password $password;
broker certificate validation: Custom, with $folder/tls/ca.pem. Gateways describe themselves there with mqtt.homeAssistant: true.
END
  exit 0
fi
publish=$(cat "$folder/publish-password")
if [ "$master" = nginx ]; then
  target="rtmp://$host/live"
  name="{gateway}-{stream}?key=$publish"
  trust=""
else
  target="rtmps://edge:$publish@$host:1936/live"
  name="{gateway}-{stream}"
  trust=", caFile: ca.pem"
fi
cat <<END
# sluice.yaml of $id; beside it belongs ca.pem, a copy of $folder/tls/ca.pem
gateway: { id: $id }
mqtt: { url: "mqtts://$host:8883", caFile: ca.pem, username: $id, password: "$password" }
proxypublish:
  targets:
    - { targetUri: "$target", targetStreamName: "$name"$trust }
END
