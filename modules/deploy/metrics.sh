# metrics.sh JQ STATE TEXTFILES: from the agent's records to TEXTFILES/deploy.prom. Files
# are read one after the other: one that is being removed meanwhile is no error. The document is
# the first value of a file, its checksum the second one.
set -eu
jq=$1 state=$2 textfiles=$3
new=$textfiles/deploy.prom.new

ends=$(for file in "$state"/attempts/*.json; do
  "$jq" -n -r 'input | .outcome.end // empty' "$file" 2> /dev/null || true
done | sort | uniq -c)
{
  echo '# HELP homelab_deploy_attempts How the kept attempts ended.'
  echo '# TYPE homelab_deploy_attempts gauge'
  echo "$ends" | while read -r count end; do
    [ -z "$end" ] || printf 'homelab_deploy_attempts{end="%s"} %s\n' "$end" "$count"
  done
  if [ -e "$state/confirmed.json" ]; then
    echo '# HELP homelab_deploy_last_confirmed_timestamp_seconds When a system was last confirmed.'
    echo '# TYPE homelab_deploy_last_confirmed_timestamp_seconds gauge'
    "$jq" -n -r \
      'input | "homelab_deploy_last_confirmed_timestamp_seconds \(.at)"' "$state/confirmed.json"
  fi
} > "$new"
mv "$new" "$textfiles/deploy.prom"
