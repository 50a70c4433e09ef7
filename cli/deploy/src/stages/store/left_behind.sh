# Ends the processes with one of the $WORDS in their environment, and no others. Prints how many
# there were, and which did not end. Needs sh, grep and sleep.
# Match whole variables only: sudo puts this script into a variable, and it would end itself.
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
# Two seconds to end in an orderly way, and three after the kill.
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
