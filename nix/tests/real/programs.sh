#!/bin/bash
# programs.sh ETC FLAKE ACME: what was rendered, given to the programs that read it; ACME is
# ETC as it is with certificates of an authority. Runs as root in a root of its own, with a
# network, mounts and processes of its own. A line per check: `ok NAME`, or `FAIL NAME` and
# what was said, indented.
set -u
etc=$1/etc
names=$2/nix/tests/metric-names.nix
golden=$2/cli/wire/golden/message
metrics_script=$2/modules/deploy/metrics.sh
work=$(mktemp -d)
started=()
stop() {
  local id
  for id in "${started[@]}"; do kill "$id"; done 2> /dev/null
  wait
}
trap stop EXIT

say() { echo "ok    $1"; }
# try NAME COMMAND...: passes when the command does.
try() {
  local name=$1
  shift
  if "$@" > "$work/said" 2>&1; then say "$name"; else
    echo "FAIL  $name"
    tail -n 15 "$work/said" | sed 's/^/      /'
  fi
}
# refuse NAME TEXT COMMAND...: passes when the command fails and says so.
refuse() {
  local name=$1 text=$2
  shift 2
  if ! "$@" > "$work/said" 2>&1 && grep -q -- "$text" "$work/said"; then say "$name"; else
    echo "FAIL  $name"
    tail -n 15 "$work/said" | sed 's/^/      /'
  fi
}
unit() { cat "$etc/systemd/system/$1"; }
# value UNIT KEY: the values of a key, a line each.
value() { unit "$1" | sed -n "s/^$2=//p"; }

echo "      caddy $(caddy version), $(promtool --version 2>&1 | head -n1 | cut -d, -f1,2), $(amtool --version 2>&1 | head -n1 | cut -d' ' -f1-3)"
echo "      $(sshd -V 2>&1 | tail -n1), $(restic version | cut -d' ' -f1,2), $(systemd-analyze --version | head -n1), victoria-metrics $(dpkg-query -W -f '${Version}' victoria-metrics)"

# --- the proxy
caddyfile=$etc/caddy/caddy_config
try "caddy adapt takes the Caddyfile" caddy adapt --config "$caddyfile" --adapter caddyfile
sed 's/reverse_proxy/reverse_porxy/' "$caddyfile" > "$work/broken"
refuse "caddy adapt refuses a broken one" "unrecognized directive: reverse_porxy" caddy adapt --config "$work/broken" --adapter caddyfile

# With certificates of an authority every site has the one file, and Caddy orders none itself.
acme=$3/etc
ordered_elsewhere() {
  caddy adapt --config "$acme/caddy/caddy_config" --adapter caddyfile > "$work/adapted.json" || return
  jq -c '.apps.tls, .apps.http.servers[].tls_connection_policies' "$work/adapted.json"
  [ "$(jq -r '.apps.tls.certificates.load_files[].certificate' "$work/adapted.json")" = /var/lib/acme/local.kaifer.dev/cert.pem ] &&
    [ "$(jq '.apps.tls.automation' "$work/adapted.json")" = null ] &&
    [ "$(jq -r '[.apps.http.servers[].tls_connection_policies[] | select(.certificate_selection.any_tag == ["cert0"]).match.sni[]] | sort | join(" ")' "$work/adapted.json")" = \
      "$(grep -oE '^[a-z0-9.-]+ \{' "$caddyfile" | cut -d' ' -f1 | sort | paste -sd' ')" ]
}
try "with an authority's certificate caddy adapt takes the Caddyfile, and every site has that one" ordered_elsewhere

ip link set lo up
export HOME=$work XDG_DATA_HOME=$work/data XDG_CONFIG_HOME=$work/config
# Behind each site something that says what it was asked for.
cat > "$work/upstream.py" << 'P'
import http.server, sys, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.server.server_address[1]} {self.headers['Host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
servers = [http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Answer) for port in sys.argv[1:]]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
P
mapfile -t sites < <(grep -oE '^[a-z0-9.-]+ \{' "$caddyfile" | cut -d' ' -f1)
# Of a site with routes its own place is the last.
mapfile -t ports < <(awk '
  /^[a-z0-9.-]+ \{/ { site = $1; order[++count] = site }
  $1 == "reverse_proxy" { sub(/.*:/, "", $2); port[site] = $2 }
  END { for (index_ = 1; index_ <= count; index_++) print port[order[index_]] }' "$caddyfile")
python3 "$work/upstream.py" "${ports[@]}" & started+=($!)
caddy run --config "$caddyfile" --adapter caddyfile > "$work/caddy.log" 2>&1 & started+=($!)
root=$XDG_DATA_HOME/caddy/pki/authorities/local/root.crt
# until_true COMMAND...: at most 20 seconds.
until_true() {
  local deadline=$((SECONDS + 20))
  until "$@" > /dev/null 2>&1; do [ "$SECONDS" -lt "$deadline" ] || return 1; done
}
# ask HOST [PATH]
ask() { curl --silent --show-error --fail --path-as-is --cacert "$root" --resolve "$1:443:127.0.0.1" "https://$1${2:-/}"; }
until_true ask "${sites[0]}"
answers_as() { [ "$(ask "$1")" = "$2 $1 /" ]; }
for index in "${!sites[@]}"; do
  try "https://${sites[$index]} answers through caddy with its own authority's certificate" answers_as "${sites[$index]}" "${ports[$index]}"
done
notes=notes.local.kaifer.dev
goes_on() {
  [ "$(ask $notes /measured/api?x=1)" = "8428 $notes /api?x=1" ] && [ "$(ask $notes /MEASURED)" = "8428 $notes /" ] &&
    [ "$(ask $notes /measuredly)" = "8000 $notes /measuredly" ]
}
try "a path of a site goes to another service, without its prefix" goes_on
denied_paths() {
  local path
  for path in /admin /admin/ /admin/x /ADMIN/x //admin/x /%61dmin /x/../admin/y; do
    refuse_path "$path" || { echo "$path was let through"; return 1; }
  done
}
refuse_path() { [ "$(curl -s -o /dev/null -w '%{http_code}' --path-as-is --cacert "$root" --resolve "$notes:443:127.0.0.1" "https://$notes$1")" = 404 ]; }
try "a denied path is denied, however it is written" denied_paths
issuer() { openssl s_client -connect 127.0.0.1:443 -servername "${sites[0]}" < /dev/null 2> /dev/null | openssl x509 -noout -issuer; }
names_issuer() { issuer | grep -q "Caddy Local Authority"; }
try "the certificate's issuer is the one that a deploy looks for" names_issuer
admin() { [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Host: $1" http://127.0.0.1:2019/config/)" = "$2" ]; }
try "caddy's admin interface answers to the name that the check uses" admin localhost:2019 200
try "and to no other" admin 127.0.0.1 403
# exports URL NAME...: each of the metrics is there.
exports() {
  local url=$1 name
  shift
  curl -sf "$url" > "$work/metrics" || return
  for name; do grep -qE "^${name}(\{| )" "$work/metrics" || { echo "$name is not exported"; return 1; }; done
}
# named GROUP: the metrics of a group that dashboards and alerts may name.
named() { sed -n "/^  $1 = \[/,/]/s/^ *\"\(.*\)\"$/\1/p" "$names"; }
mapfile -t proxy < <(named proxy | grep -v errors_total)
try "caddy exports the metrics that queries name (errors only after one)" exports http://127.0.0.1:2019/metrics "${proxy[@]}"
prometheus-node-exporter --web.listen-address=127.0.0.1:9100 > "$work/node.log" 2>&1 & started+=($!)
until_true curl -sf http://127.0.0.1:9100/metrics
mapfile -t node < <(named node | grep -v systemd)
try "the node exporter exports the metrics that queries name (units need a running systemd)" exports http://127.0.0.1:9100/metrics "${node[@]}"
refuse "a metric that nobody exports is found" "is not exported" exports http://127.0.0.1:9100/metrics node_no_such_thing
# An address that is in no audience: TEST-NET-3.
ip address add 203.0.113.9/32 dev lo
# stranger HOST PATH STATUS
stranger() { [ "$(curl -s -o /dev/null -w '%{http_code}' --interface 203.0.113.9 --cacert "$root" --resolve "$1:443:203.0.113.9" "https://$1$2")" = "$3" ]; }
try "a stranger gets 403" stranger "${sites[0]}" / 403
try "a stranger reaches a path that is public" stranger $notes /hooks/x 200
try "and no other path of that site" stranger $notes /measured/x 403

# --- metrics and alerts
scrape=$(value victoriametrics.service ExecStart | grep -oE '/nix/store/[^ ]*prometheusConfig.yaml')
try "promtool takes the scrape jobs" promtool check config --syntax-only "$scrape"
try "victoria-metrics takes the scrape jobs" victoria-metrics -dryRun -promscrape.config="$scrape"
sed 's/"metrics_path"/"metrics_paht"/' "$scrape" > "$work/scrape.yml"
refuse "victoria-metrics refuses a misspelt field" metrics_paht victoria-metrics -dryRun -promscrape.config="$work/scrape.yml"
rules=$etc/vmalert-homelab/rules.yml
try "promtool takes the alert rules" promtool check rules "$rules"
try "vmalert takes the alert rules" vmalert -dryRun -rule="$rules"
sed 's/== 0"/== == 0"/' "$rules" > "$work/rules.yml"
refuse "promtool refuses a broken expression" "could not parse expression\|parse error" promtool check rules "$work/rules.yml"
# The file that is completed at the start; an empty place stays as it is.
alertmanager=$(grep -oE '/nix/store/[^ "]*checked-config' "$(value alertmanager.service ExecStartPre)")
try "amtool takes Alertmanager's configuration" amtool check-config "$alertmanager"
# The agent's records are those of its golden files.
mkdir -p "$work/state/attempts" "$work/textfiles"
{ cat "$golden/confirmed.json" && echo '"sha256:0"'; } > "$work/state/confirmed.json"
for id in a b c; do jq --arg end "$([ $id = c ] && echo rolledBack || echo committed)" '.outcome = { end: $end }' "$golden/record.json" > "$work/state/attempts/$id.json"; done
echo '"sha256:0"' >> "$work/state/attempts/a.json"
echo broken > "$work/state/attempts/d.json"
deploys() {
  sh "$metrics_script" /usr/bin/jq "$work/state" "$work/textfiles" && promtool check metrics < "$work/textfiles/deploy.prom" &&
    [ "$(grep -v '^#' "$work/textfiles/deploy.prom" | paste -sd' ')" = 'homelab_deploy_attempts{end="committed"} 2 homelab_deploy_attempts{end="rolledBack"} 1 homelab_deploy_last_confirmed_timestamp_seconds 1789000000' ]
}
try "how deploys ended is exported" deploys
nothing_yet() { rm -r "$work/state" && sh "$metrics_script" /usr/bin/jq "$work/state" "$work/textfiles"; }
try "a machine without a deploy exports nothing of the kind" nothing_yet

# --- SSH
mkdir -p /run/sshd "$work/ssh"
ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/key"
sed -E "s,^HostKey .*,HostKey $work/ssh/key," "$etc/ssh/sshd_config" | awk '!/^HostKey/ || !seen++' > "$work/sshd_config"
getent passwd sshd > /dev/null || useradd --system sshd
try "sshd takes its configuration" sshd -t -f "$work/sshd_config"
keys_only() {
  sshd -T -f "$work/sshd_config" > "$work/effective" || return
  [ "$(grep -icxE '(password|kbdinteractive)authentication no' "$work/effective")" = 2 ] && return
  cat "$work/effective"
  return 1
}
try "sshd lets nobody in by password" keys_only

# --- the deploy user's rule, in a real sudo. What it starts says who it is.
agent=/run/current-system/sw/bin/deploy-agent
mkdir -p "${agent%/*}"
cat > $agent << 'A'
#!/bin/sh
echo "$(id -u) $* ${INJECTED:-nothing}"
A
chmod 755 $agent
install -m 0755 $agent /usr/local/bin/deploy-agent
useradd --system --shell /bin/sh deploy
# Wheel is NixOS's; nobody is in it here.
groupadd wheel
install -m 0440 "$etc/sudoers" /etc/sudoers
as_deploy() { runuser -u deploy -- sudo -n "$@"; }
prints() {
  local wanted=$1 said
  shift
  said=$("$@")
  echo "$said"
  [ "$said" = "$wanted" ]
}
try "deploy may run the agent as root" prints "0 serve nothing" as_deploy $agent serve
try "deploy may carry Nix's protocol" prints "0 serve --stdio nothing" as_deploy $agent serve --stdio
denied="a password is required\|not allowed"
refuse "deploy may run no other command of the agent" "$denied" as_deploy $agent boot
refuse "deploy may add no argument" "$denied" as_deploy $agent serve --stdio --extra
refuse "deploy may run no agent from elsewhere" "$denied" as_deploy /usr/local/bin/deploy-agent serve
refuse "deploy may run no shell" "$denied" as_deploy /bin/sh
refuse "deploy may hand over no environment" "not allowed" as_deploy INJECTED=yes $agent serve
refuse "deploy may not keep its environment" "not allowed" as_deploy -E $agent serve
refuse "deploy may become nobody but root" "$denied" as_deploy -u sshd $agent serve

# --- units
# Every unit that was rendered: what a module adds later is read here too. Those of systemd's
# own package are not rendered.
analyze() {
  local path=$1
  shift
  SYSTEMD_UNIT_PATH="$path$etc/systemd/system:/usr/lib/systemd/system" \
    systemd-analyze verify --man=no --generators=no --recursive-errors=no -- "$@"
}
for file in "$etc"/systemd/system/*.*; do
  name=${file##*/}
  # A masked one is a device.
  [[ -f $file && $(readlink "$file") == */*-unit-*/"$name" ]] || continue
  case $name in
    nix-daemon.* | systemd-importd.service | user-.slice)
      echo "      not read: $name is half a unit, the other half is in a package that is a stub here"
      ;;
    save-hwclock.service) echo "      not read: $name starts a program of a package that is a stub here" ;;
    # A template is read as an instance is.
    *) try "systemd takes $name" analyze "" "${name/@./@lab.}" ;;
  esac
done
for name in caddy grafana homepage-dashboard victoriametrics loki alloy vmalert-homelab alertmanager prometheus-node-exporter sshd restic-backups-notes notes deploy-agent-boot; do
  try "there is a $name.service" test -e "$etc/systemd/system/$name.service"
done

limits() {
  [ "$(for key in MemoryMax CPUQuota TasksMax; do value notes.service $key; done | paste -sd' ')" = "256M 50% 64" ] &&
    value notes.service After | grep -qw victoriametrics.service
}
try "the limits and the start order of notes.service are in its file" limits
mkdir "$work/units"
sed 's/^MemoryMax=.*/MemoryMax=256Q/' "$etc/systemd/system/notes.service" > "$work/units/notes.service"
unreadable() { analyze "$work/units:" notes.service; }
refuse "systemd refuses a limit that is none" "MemoryMax\|Invalid memory" unreadable

# --- a backup, its loss and its return
sh -c "$(sed -n 's/^Environment="\(RESTIC_[A-Z_]*\)=\(.*\)"/export \1=\2/p' "$etc/systemd/system/restic-backups-notes.service"); env" | grep ^RESTIC_ > "$work/environment"
mkdir -p /etc/plain-secrets /etc/backups /var/backup /var/lib/node-exporter-textfile /var/lib/hollow
cp -L "$etc"/backups/* /etc/backups/
cp -L "$etc/plain-secrets/restic-password" /etc/plain-secrets/
# run_unit NAME: what systemd would run, in its order, stopping at the first failure.
run_unit() {
  (
    set -e
    while IFS='=' read -r key setting; do export "$key=$setting"; done < <(sed -n 's/^Environment="\(.*\)"$/\1/p' <<< "$(unit "$1.service")" | grep -v '^PATH=')
    mkdir -p "/run/$1" "/var/cache/$1"
    for key in ExecStartPre ExecStart ExecStartPost; do
      while read -r line; do bash -ec "$line"; done < <(value "$1.service" $key)
    done
  )
}
# As systemd gives it to a DynamicUser: the folder is private, what is public is a link.
install -d -m 0700 /var/lib/private
install -d -m 0755 -o 61184 -g 61184 /var/lib/private/notes
ln -sfn private/notes /var/lib/notes
echo kept > /var/lib/private/notes/notes.txt
chown 61184:61184 /var/lib/private/notes/notes.txt
try "restic saves the state of a DynamicUser" run_unit restic-backups-notes
restore() {
  set -a
  # shellcheck source=/dev/null
  . "$work/environment"
  set +a
  rm -r /var/lib/private/notes
  restic restore latest --tag notes --target / || return
  [ "$(cat /var/lib/notes/notes.txt)" = kept ] && [ "$(stat -c %u:%g /var/lib/private/notes/notes.txt)" = 61184:61184 ]
}
try "what was lost comes back, with its owner" restore
exported() { grep -q '^homelab_backup_last_success_timestamp_seconds{service="notes"} [0-9]*$' /var/lib/node-exporter-textfile/backup-notes.prom; }
try "the time of the backup is exported" exported
refuse "a backup that holds no file fails, and names the option" "homelab.services.hollow.backup.paths" run_unit restic-backups-hollow
rm /var/lib/private/notes/notes.txt; echo other > /var/lib/private/notes/other.txt
refuse "a backup without the file that must be in it fails" "homelab.services.notes.backup.sentinel" run_unit restic-backups-notes
