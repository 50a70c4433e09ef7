#!/bin/bash
# programs.sh ETC FLAKE ACME ALERTS PLUGIN: what was rendered, given to the programs that read
# it; ACME is ETC as it is with certificates of an authority, PLUGIN as it is when Caddy orders
# them, ALERTS which alerts must fire when. Runs as root in a root of its own, with a
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
    [ "$(jq -r '[.apps.http.servers[].tls_connection_policies[]? | select(.certificate_selection.any_tag == ["cert0"]).match.sni[]] | sort | join(" ")' "$work/adapted.json")" = \
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
        forged = [f" {name}={value}" for name, value in self.headers.items() if name.lower().startswith("remote")]
        body = f"{self.server.server_address[1]} {self.headers['Host']} {self.path}{''.join(forged)}".encode()
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
# The login, which says nothing of who it lets in.
python3 "$work/upstream.py" "${ports[@]}" 9091 & started+=($!)
# As its unit starts it: a user of its own, and a folder in /run.
install -d -m "$(value caddy.service RuntimeDirectoryMode)" -o nobody "/run/$(value caddy.service RuntimeDirectory)"
caddy run --config "$caddyfile" --adapter caddyfile > "$work/caddy.log" 2>&1 & started+=($!)
root=$XDG_DATA_HOME/caddy/pki/authorities/local/root.crt
# until_true COMMAND...: at most 20 seconds.
until_true() {
  local deadline=$((SECONDS + 20))
  until "$@" > /dev/null 2>&1; do [ "$SECONDS" -lt "$deadline" ] || return 1; done
}
# ask HOST [PATH [CURL-ARGUMENT...]]
ask() { curl --silent --show-error --fail --path-as-is --cacert "$root" --resolve "$1:443:127.0.0.1" "https://$1${2:-/}" "${@:3}"; }
until_true ask "${sites[0]}"
# What a site lets through is its service's to say; each lets this through.
lets_through() { case $1 in logs.*) echo /ready ;; *) echo / ;; esac; }
answers_as() { [ "$(ask "$1" "$(lets_through "$1")")" = "$2 $1 $(lets_through "$1")" ]; }
for index in "${!sites[@]}"; do
  try "https://${sites[$index]} answers through caddy with its own authority's certificate" answers_as "${sites[$index]}" "${ports[$index]}"
done
# status HOST PATH [CURL-ARGUMENT...]
status() { curl -s -o /dev/null -w '%{http_code}' --path-as-is --cacert "$root" --resolve "$1:443:127.0.0.1" "https://$1$2" "${@:3}"; }
# is STATUS HOST PATH...: what is sent does not matter.
is() {
  local path
  for path in "${@:3}"; do
    for method in GET POST PUT DELETE; do
      [ "$(status "$2" "$path" -X $method)" = "$1" ] || { echo "$method https://$2$path was not answered with $1"; return 1; }
    done
  done
}
try "nobody writes, deletes or stops logs through their site" is 403 logs.local.kaifer.dev \
  /loki/api/v1/push /loki/api/v1/delete /loki/api/v1/cache/generation_numbers /api/prom/push /otlp/v1/logs /flush \
  /ingester/shutdown /ingester/prepare_shutdown /config /log_level /loki/api/v1/rules /LOKI/API/V1/PUSH \
  /loki/api/v1/query/../push //loki/api/v1/push /loki/api/v1/%70ush /loki/api/v1/label/..%2fpush /loki/api/v1/label/%2e%2e/push
try "nobody writes, deletes or copies measurements through their site" is 403 metrics.local.kaifer.dev \
  /api/v1/import /api/v1/import/prometheus /api/v1/write /write /api/v2/write /influx/write /opentelemetry/v1/metrics \
  /datadog/api/v1/series /api/put /api/v1/admin/tsdb/delete_series /prometheus/api/v1/admin/tsdb/delete_series \
  /tags/delSeries /graphite/tags/delSeries /snapshot/create /snapshot/delete_all /internal/force_merge \
  /internal/resetRollupResultCache /-/reload /debug/pprof/heap /config /flags /vmalert/-/reload \
  /api/v1/label/../admin/tsdb/delete_series /vmui/..%2fapi/v1/write /vmui/%2e%2e/write /api/v1/status/../import //api/v1/import
reads() {
  [ "$(status logs.local.kaifer.dev '/loki/api/v1/query_range?query=x')" = 200 ] && [ "$(status logs.local.kaifer.dev /loki/api/v1/label/service/values)" = 200 ] &&
    [ "$(status metrics.local.kaifer.dev '/api/v1/query?query=up' -X POST)" = 501 ] && [ "$(status metrics.local.kaifer.dev /vmui/)" = 200 ]
}
# The upstream here knows GET alone, and says 501 to the rest.
try "and everybody reads them" reads
inner=inner.local.kaifer.dev
forged=()
for name in Remote-User Remote_User remote-user REMOTE_USER Remote-Groups Remote_Groups Remote-Name Remote-Email remote_email; do forged+=(-H "$name: root"); done
unforged() {
  [ "$(ask "$1" "$2" "${forged[@]}")" = "$3 $1 $2" ] || { ask "$1" "$2" "${forged[@]}"; return 1; }
}
try "a forged header does not reach a service behind a login" unforged $inner / 8001
try "nor by a path that bypasses the login" unforged $inner /open/x 8001
try "nor a service without that login" unforged notes.local.kaifer.dev /x 8000
try "nor by a path of another service" unforged notes.local.kaifer.dev /hooks/x 8000
notes=notes.local.kaifer.dev
goes_on() {
  [ "$(ask $notes /measured/api/v1/query?x=1)" = "8428 $notes /api/v1/query?x=1" ] && [ "$(ask $notes /MEASURED)" = "8428 $notes /" ] &&
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
try "what a service lets nobody do, nobody does by another site's path" is 403 $notes \
  /measured/api/v1/import /measured/api/v1/admin/tsdb/delete_series /measured//api/v1/import /measured/vmui/..%2fapi/v1/write /measured/../measured/write
try "a denied path is denied, however it is written" denied_paths
issuer() { openssl s_client -connect 127.0.0.1:443 -servername "${sites[0]}" < /dev/null 2> /dev/null | openssl x509 -noout -issuer; }
names_issuer() { issuer | grep -q "Caddy Local Authority"; }
try "the certificate's issuer is the one that a deploy looks for" names_issuer
# Everybody on the machine reaches loopback: what Caddy's admin interface takes, it takes from
# root and from Caddy alone. The port is the one that Caddy has it on by default.
as_nobody() { runuser -u nobody -- "$@"; }
try "caddy's admin interface answers to root" curl -sf --unix-socket /run/caddy/admin.sock http://caddy/config/
closed() {
  local port
  refuse_admin as_nobody curl -sf --unix-socket /run/caddy/admin.sock http://caddy/config/ || return
  for port in 2019 $(ss -Hltn | awk '{ sub(/.*:/, "", $4); print $4 }' | sort -u); do
    refuse_admin as_nobody curl -sf --max-time 5 "http://127.0.0.1:$port/config/" || return
    refuse_admin as_nobody curl -sf --max-time 5 -H "Host: localhost:$port" "http://127.0.0.1:$port/config/apps" || return
  done
}
refuse_admin() {
  ! "$@" | tee "$work/config" | grep -q '"apps"\|"http"' || { echo "$* was answered:"; head -c 400 "$work/config"; return 1; }
}
try "caddy's admin interface answers to no other user of the machine, on no port" closed
try "caddy reloads through its socket" caddy reload --config "$caddyfile" --adapter caddyfile --force
# What a deploy looks for there, line ends and all.
wanted=$(jq -j '.checks[] | select(.name == "caddy.health.configuration").kind.contains' "$etc/deploy-agent/manifest.json" && echo .)
found() { [[ $(curl -sf http://127.0.0.1:2020/metrics && echo .) == *"${wanted%.}"* ]]; }
lost() { [ -n "${wanted%.}" ] && ! found && curl -sf http://127.0.0.1:2020/metrics > /dev/null; }
try "a deploy finds in its metrics that its configuration was taken" found
sed 's/bind 127.0.0.1/bind 203.0.113.77/' "$caddyfile" > "$work/unloadable"
refuse "caddy refuses what it cannot load" "cannot assign" caddy reload --config "$work/unloadable" --adapter caddyfile --force
try "and does not when the last one was refused" lost
caddy reload --config "$caddyfile" --adapter caddyfile --force 2> /dev/null
# With the plugin a site has the domain's certificate. Debian's Caddy has none: its own
# authority orders in its place, of which the same is asked.
own_orders() {
  sed -E '/^\ttls \{$/,/^\t\}$/{/^\ttls \{$/c\\ttls internal
d}; s,/run/caddy/admin.sock,/run/caddy/plugin.sock,; s/:2020/:2021/' "$5/etc/caddy/caddy_config" |
    sed '0,/{/s//{\n\tskip_install_trust\n\thttp_port 8080\n\thttps_port 8443/' > "$work/plugin"
}
names_of() { openssl s_client -connect 127.0.0.1:8443 -servername "$1" < /dev/null 2> /dev/null | openssl x509 -noout -ext subjectAltName | tail -n1 | tr -d ' '; }
own_orders "$@"
XDG_DATA_HOME=$work/data2 caddy run --config "$work/plugin" --adapter caddyfile > "$work/plugin.log" 2>&1 & started+=($!)
wildcard() {
  [ "$(grep -c 'tls internal' "$work/plugin")" = 2 ] || { cat "$work/plugin"; return 1; }
  for site in "${sites[@]}"; do
    [ "$site" = local.kaifer.dev ] || [ "$(names_of "$site")" = 'DNS:*.local.kaifer.dev' ] || { echo "$site has $(names_of "$site")"; tail -n 5 "$work/plugin.log"; return 1; }
  done
}
until_true wildcard
try "with the plugin every site has the domain's certificate, and its name is in none" wildcard
# exports URL NAME...: each of the metrics is there.
exports() {
  local url=$1 name
  shift
  curl -sf "$url" > "$work/metrics" || return
  for name; do grep -qE "^${name}(\{| )" "$work/metrics" || { echo "$name is not exported"; return 1; }; done
}
# named GROUP: the metrics of a group that dashboards and alerts may name.
named() { sed -n "/^  $1 = \[/,/]/s/^ *\"\(.*\)\"$/\1/p" "$names"; }
# A reload begins to count anew.
until_true ask "${sites[0]}" "$(lets_through "${sites[0]}")"
mapfile -t proxy < <(named proxy | grep -v errors_total)
try "caddy exports the metrics that queries name (errors only after one)" exports http://127.0.0.1:2020/metrics "${proxy[@]}"
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
# As its unit starts it, on another port and with its data elsewhere.
install -d -m 0700 /run/victoriametrics
bash -ec "$(value victoriametrics.service ExecStartPre)"
bash -c "exec $(value victoriametrics.service ExecStart | sed "s,127.0.0.1:8428,127.0.0.1:8427,; s,-storageDataPath=[^' ]*,-storageDataPath=$work/measurements,")" > "$work/measured.log" 2>&1 & started+=($!)
measured=$!
until_true curl -sf http://127.0.0.1:8427/health
# anybody PATH: what a user of the machine without a key is answered.
anybody() { as_nobody curl -s --globoff -o /dev/null -w '%{http_code}' "http://127.0.0.1:8427$1"; }
keyless() {
  local path
  for path in '/api/v1/admin/tsdb/delete_series?match[]=up' /tags/delSeries?path=up /snapshot/create /snapshot/delete_all /internal/force_merge /internal/force_flush /internal/resetRollupResultCache /-/reload /debug/pprof/cmdline; do
    [ "$(anybody "$path")" = 401 ] || [ "$(anybody "$path")" = 403 ] || { echo "$path was answered with $(anybody "$path")"; return 1; }
  done
  ! as_nobody cat /run/victoriametrics/admin-key
}
try "a user of the machine deletes, copies and slows down no measurements" keyless
with_key() { curl -sf --globoff --get --data-urlencode "authKey=$(cat /run/victoriametrics/admin-key)" http://127.0.0.1:8427/snapshot/create | grep -q ok; }
try "root does, with the key" with_key
rules=$etc/vmalert-homelab/rules.yml
try "promtool takes the alert rules" promtool check rules "$rules"
try "vmalert takes the alert rules" vmalert -dryRun -rule="$rules"
mkdir "$work/alerts"
cp "$4" "$work/alerts/alerts.json"
cp "$rules" "$work/alerts/rules.yml"
try "every alert fires when it should, and none when all is well" promtool test rules "$work/alerts/alerts.json"
# Without what asks for an absent series.
sed -i 's/absent(up{/absent(down{/' "$work/alerts/rules.yml"
refuse "promtool finds an alert that cannot fire" "ScrapeFailed" promtool test rules "$work/alerts/alerts.json"
sed 's/ == 0/ == == 0/' "$rules" > "$work/rules.yml"
refuse "promtool refuses a broken expression" "could not parse expression\|parse error" promtool check rules "$work/rules.yml"
# The file that is completed at the start; an empty place stays as it is.
alertmanager=$(grep -oE '/nix/store/[^ "]*checked-config' "$(value alertmanager.service ExecStartPre)")
try "amtool takes Alertmanager's configuration" amtool check-config "$alertmanager"
received_by() { [ "$(amtool config routes test --config.file="$alertmanager" alertname="$1" service=x 2> /dev/null)" = "$2" ]; }
try "the watchdog's alert goes to its watcher" received_by Watchdog watchdog
try "and every other to the webhook" received_by BackupTooOld webhook
# --- the dead man's switch, with its minutes as seconds
cat > "$work/watcher.py" << 'P'
import http.server, json, sys
class Watcher(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(sys.argv[1] + self.path, "a") as log:
            for alert in sent["alerts"]:
                log.write(f"{alert['labels']['alertname']} {alert['status']}\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 9099), Watcher).serve_forever()
P
mkdir -p "$work/watched" /run/credentials/alertmanager.service
python3 "$work/watcher.py" "$work/watched" & started+=($!)
for receiver in watchdog webhook; do echo "http://127.0.0.1:9099/$receiver" > /run/credentials/alertmanager.service/$receiver; done
sed -E 's/(group_wait|group_interval|repeat_interval)("?): ?"?[0-9a-z]+"?/\1\2: "1s"/g' "$alertmanager" > "$work/alertmanager.yml"
prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/alertmanager" --cluster.listen-address= \
  --web.listen-address=127.0.0.1:9093 > "$work/alertmanager.log" 2>&1 & started+=($!)
vmalert -rule="$rules" -datasource.url=http://127.0.0.1:8427 -notifier.url=http://127.0.0.1:9093 -httpListenAddr=127.0.0.1:8880 \
  -evaluationInterval=1s -rule.resendDelay=1s > "$work/vmalert.log" 2>&1 & started+=($!)
heard() { wc -l 2> /dev/null < "$work/watched/watchdog" || echo 0; }
goes_on_hearing() {
  local before
  before=$(heard)
  until_true eval "[ \$(heard) -ge $((before + 3)) ]" || { tail -n 5 "$work/vmalert.log" "$work/alertmanager.log"; return 1; }
  [ "$(sort -u "$work/watched/watchdog")" = "Watchdog firing" ] && ! grep -q Watchdog "$work/watched/webhook"
}
try "while alerts work the watcher gets one request after the other" goes_on_hearing
kill "$measured"; wait "$measured" 2> /dev/null
silent() {
  local before after=none deadline=$((SECONDS + 60))
  until [ "$after" = same ]; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "it still gets them"; return 1; }
    before=$(heard); sleep 6
    [ "$(heard)" != "$before" ] || after=same
  done
  [ "$(sort -u "$work/watched/watchdog")" = "Watchdog firing" ]
}
try "without the metrics they end, and nothing says that all is well again" silent
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
    export CACHE_DIRECTORY=/var/cache/$1
    for key in ExecStartPre ExecStart ExecStartPost; do
      while read -r line; do bash -ec "$line" || exit 1; done < <(value "$1.service" $key)
    done
  )
}
# As systemd gives it to a DynamicUser: the folder is private, what is public is a link.
install -d -m 0700 /var/lib/private
install -d -m 0755 -o 61184 -g 61184 /var/lib/private/notes
ln -sfn private/notes /var/lib/notes
echo kept > /var/lib/private/notes/notes.txt
chown 61184:61184 /var/lib/private/notes/notes.txt
# A database that is being written: what was committed is still in the write-ahead log.
python3 - << 'P' & started+=($!)
import os, sqlite3, time
path = "/var/lib/private/notes/notes.db"
database = sqlite3.connect(path)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA wal_autocheckpoint = 0")
database.execute("CREATE TABLE notes (text TEXT)")
database.execute("INSERT INTO notes VALUES ('kept')")
database.commit()
for end in ("", "-wal", "-shm"):
    os.chown(path + end, 61184, 61184)
open("/run/written", "w").close()
time.sleep(600)
P
until_true test -e /run/written
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
note() { sqlite3 "$1" 'SELECT text FROM notes'; }
database() {
  [ "$(note /var/lib/private/notes/notes.db.backup)" = kept ] && [ "$(stat -c %u /var/lib/private/notes/notes.db.backup)" = 61184 ] &&
    ! test -e /var/lib/private/notes/notes.db
}
try "a database that was being written comes back whole, and its live files are not in the way" database
run_check() { run_unit restic-check && grep -q '^homelab_backup_check_last_success_timestamp_seconds [0-9]*$' /var/lib/node-exporter-textfile/backup-check.prom; }
try "the repository is checked, and the time is exported" run_check
exported() { grep -q '^homelab_backup_last_success_timestamp_seconds{service="notes"} [0-9]*$' /var/lib/node-exporter-textfile/backup-notes.prom; }
try "the time of the backup is exported" exported
refuse "a backup that holds no file fails, and names the option" "homelab.services.hollow.backup.paths" run_unit restic-backups-hollow
# Of hollow nothing was saved, so that the drill as a whole fails; what can be restored is told.
refuse "a restore drill fails with a service of which no file comes back" "what was restored of hollow holds no file" run_unit restic-drill
drilled() { grep -q '^homelab_restore_drill_last_success_timestamp_seconds{service="notes"} [0-9]*$' /var/lib/node-exporter-textfile/restore-drill-notes.prom && ! test -e /var/cache/restic-drill/restored; }
try "it exports the time of those that came back, and leaves nothing of them" drilled
alone_drill() { ! test -e /var/lib/node-exporter-textfile/restore-drill-hollow.prom; }
try "and of the others none" alone_drill
# What a person does with a database that came back.
cp -p /var/lib/private/notes/notes.db.backup /var/lib/private/notes/notes.db
# Each command of restic finds the repository in the hands of another job, a check that reads so
# slowly that it has the repository until it is ended, four seconds later.
taken() {
  mv /usr/bin/restic /usr/bin/restic.real
  cat > /usr/bin/restic << 'R'
#!/bin/bash
PATH=/usr/bin
{
  restic.real check --read-data --limit-download 1 & other=$!
  until compgen -G "$RESTIC_REPOSITORY/locks/*"; do kill -0 $other || exit 1; done
  { sleep 4; kill -INT $other; } &
} > /dev/null 2>&1
exec restic.real "$@"
R
  chmod 755 /usr/bin/restic
  "$@"
  local ended=$?
  mv /usr/bin/restic.real /usr/bin/restic
  return $ended
}
# waits COUNT UNIT: the unit does what it does, and so many of its commands say that they wait;
# what the others say is kept from the journal.
waits() {
  taken run_unit "$2" > "$work/waited" 2>&1
  local ended=$?
  cat "$work/waited"
  [ "$(grep -c 'repo already locked, waiting up to' "$work/waited")" = "$1" ] && return $ended
}
try "a backup waits for another job that has the repository" waits 2 restic-backups-notes
try "so does the check of the repository" waits 1 restic-check
rm /var/lib/node-exporter-textfile/restore-drill-notes.prom
refuse "so does the restore drill" "what was restored of hollow holds no file" waits 2 restic-drill
try "which restores what there is" drilled
rm /var/lib/private/notes/notes.txt; echo other > /var/lib/private/notes/other.txt
refuse "a backup without the file that must be in it fails" "homelab.services.notes.backup.sentinel" run_unit restic-backups-notes
