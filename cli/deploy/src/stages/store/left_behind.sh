# Ends what has one of the $WORDS in its environment, and nothing else. Says how much that
# was, and which processes did not end. Needs sh, grep and sleep.
# Whole variables only: sudo puts this script into one of its own, and it would end itself.
left() {
  set --
  for word in $WORDS; do set -- "$@" -e "$word"; done
  grep -lszxF "$@" /proc/[0-9]*/environ
}
send() {
  for file in $found; do
    pid=${file#/proc/}
    kill -s "$1" "${pid%/environ}" 2>/dev/null
  done
}
found=$(left)
for file in $found; do echo "@ended $file"; done
# Two seconds to end in order, and three to be taken down.
round=0
while [ -n "$found" ] && [ "$round" -lt 50 ]; do
  case $round in
    0) send TERM ;;
    20) send KILL ;;
  esac
  sleep 0.1
  round=$((round + 1))
  found=$(left)
done
for file in $found; do
  pid=${file#/proc/}
  echo "@lives ${pid%/environ}"
done
echo "@looked"
