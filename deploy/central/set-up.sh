#!/usr/bin/env bash
# Makes the folder that the central side runs from: its own certificate authority, logins, and the configuration of Mosquitto, nginx
# and the RTMP master with the names filled in. Installs and starts nothing (README.md has the steps). Run again, it keeps
# certificates (but for one that ends soon, or has another name) and logins, and renews the rest.
#
#   ./set-up.sh central.example [--folder /etc/sluice-central] [--container]      --container: for compose.yaml
set -euo pipefail
umask 027
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
. "$here/logins.sh"
host=""
folder=/etc/sluice-central
# Who reads the broker's files, and the page's logins: Debian's groups, or those within the images of compose.yaml.
broker_group=mosquitto
web_group=www-data
while [ $# -gt 0 ]; do
  case $1 in
    --folder) folder=${2:?--folder wants a path}; shift 2 ;;
    --container) broker_group=1883; web_group=101; shift ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) refuse "there is no option $1; --help tells" ;;
    *) [ -z "$host" ] || refuse "one name: $host or $1"; host=$1; shift ;;
  esac
done
[[ $host =~ ^[A-Za-z0-9.-]+$ ]] || refuse "usage: $0 HOST [--folder DIR]: the name or IPv4 address under which gateways and people reach this machine"
if [ ! -f "$repository/dist/dashboard/index.html" ]; then
  echo "$repository/dist/dashboard/ is missing: run 'npm install && npm run build' in $repository first" >&2
  exit 1
fi
need openssl mosquitto_passwd
mkdir -p "$folder/tls" "$folder/page" "$folder/data"
chmod 755 "$folder" "$folder/page" "$folder/tls"
chmod 750 "$folder/data"

# --- certificates: an authority of our own, because gateways are given it; replace tls/server.* by others if you have them
cd "$folder/tls"
if [ ! -f ca.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7300 -subj "/CN=Sluice central authority" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.pem 2>/dev/null
  echo "certificate authority made: $folder/tls/ca.pem"
fi
if [[ $host =~ ^[0-9.]+$ ]]; then name="IP:$host" kind=-checkip; else name="DNS:$host" kind=-checkhost; fi
is_named() { ! openssl x509 -in server.pem -noout "$kind" "$host" | grep -q 'NOT match'; }
is_lasting() { openssl x509 -in server.pem -noout -checkend $((60 * 86400)) >/dev/null; }
is_ours() { openssl verify -no_check_time -CAfile ca.pem server.pem >/dev/null 2>&1; }
if [ -f server.pem ] && ! { is_named && is_lasting; }; then
  if is_ours; then
    rm server.pem
  elif is_named; then
    echo "tls/server.pem ends soon: $(openssl x509 -in server.pem -noout -enddate). It is none of ours, so please renew it" >&2
  else
    echo "tls/server.pem is not for $host, and none of ours: gateways and browsers will refuse it. Put another in its place, or delete it" >&2
  fi
fi
if [ ! -f server.pem ]; then
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$host" -keyout server.key -out server.csr 2>/dev/null
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -out server.pem \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$name") 2>/dev/null
  rm server.csr
  echo "certificate for $host made: $folder/tls/server.pem (825 days)"
fi
chmod 644 ca.pem server.pem
chmod 600 ca.key
# Mosquitto reads its key as its own user; nginx and Sluice as root.
chmod 640 server.key
give() { [ "$(id -u)" != 0 ] || chgrp "$@"; }
give "$broker_group" server.key

# --- logins
cd "$folder"
new_password() { openssl rand -hex 16; }
touch passwords
if [ ! -f publish-password ]; then new_password >publish-password; fi
if [ ! -f dashboard-password ]; then new_password >dashboard-password; fi
chmod 600 dashboard-password
# The master runs as a user of its own, who is in the same group for the key.
chmod 640 publish-password
give "$broker_group" publish-password
chmod 640 passwords
change_passwords -b "$folder/passwords" dashboard "$(cat dashboard-password)"
give "$broker_group" passwords
printf 'dashboard:%s\n' "$(openssl passwd -6 -stdin <dashboard-password)" >page-passwords
chmod 640 page-passwords
give "$web_group" page-passwords

# --- configuration and page
fill() { sed -e "s#/etc/sluice-central#$folder#g" -e "s#central\.example#$host#g" "$1"; }
fill "$here/mosquitto.conf" >mosquitto.conf
fill "$here/nginx-site.conf" >nginx-site.conf
fill "$here/nginx-rtmp.conf" >nginx-rtmp.conf
fill "$here/nginx-rtmp-login.conf" | sed "s#PUBLISH_PASSWORD#$(cat publish-password)#" >nginx-rtmp-login.conf
fill "$here/master.yaml" >master.yaml
# The gateway's own unit, with the master's files.
sed -e "s#/opt/sluice#$repository#" -e "s#^ExecStart=.*#ExecStart=/usr/bin/node $repository/dist/gateway/main.js run --config $folder/master.yaml --data-dir /var/lib/sluice-central#" \
  -e "s#^SupplementaryGroups=.*#SupplementaryGroups=$broker_group#" -e "s#^StateDirectory=sluice#StateDirectory=sluice-central#" \
  -e '/^ReadWritePaths=/d' -e '/^# Serial lines/d' -e '1,/^$/d' "$repository/deploy/systemd/sluice.service" >sluice-central.service
cp "$repository/deploy/mqtt/mosquitto.acl" mosquitto.acl
cp -r "$repository/dist/dashboard/." page/
fill "$here/page/config.json" >page/config.json
rm -f page/config.json.gz page/config.json.br
chmod 644 mosquitto.conf nginx-site.conf nginx-rtmp.conf master.yaml sluice-central.service page/*
chmod 640 mosquitto.acl nginx-rtmp-login.conf
give "$broker_group" mosquitto.acl

echo "ready in $folder. Log in at https://$host/ as dashboard; the password is in $folder/dashboard-password"
echo "add a gateway with: $here/add-gateway.sh shop-1 --folder $folder"
