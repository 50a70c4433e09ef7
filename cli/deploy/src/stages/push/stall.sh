# Prints the process that holds the lock that the push with $WORD in its environment waits for;
# no process if it waits for none. Needs sh, grep, sed, tr, cut and cat. Changes nothing.
# Read /proc/locks once, because its numbers change with each reading.
locks=$(cat /proc/locks)
grep -lszxF -e "$WORD" /proc/[0-9]*/environ | while read -r file; do
  pid=${file#/proc/}
  pid=${pid%/environ}
  # "7: FLOCK ADVISORY WRITE 42 00:1f:9 0 EOF" is a lock, "7: -> FLOCK … 43 …" waits for it.
  inode='[0-9a-f]*:[0-9a-f]*:[0-9]*'
  lock=$(echo "$locks" | sed -n "s/^\([0-9]*\): *-> .* $pid $inode .*/\1/p")
  [ -n "$lock" ] || continue
  lock=${lock%%[!0-9]*}
  holder=$(echo "$locks" | sed -n "s/^$lock: *[A-Z].* \([0-9]*\) $inode .*/\1/p")
  [ -d "/proc/${holder:-none}" ] || continue
  echo "@holder $holder"
  echo "@program $(cat "/proc/$holder/comm")"
  # The 22nd word is the start, in hundredths of a second since the boot. The second word may
  # contain blanks.
  begun=$(sed 's/.*) //' "/proc/$holder/stat" | cut -d " " -f 20)
  read -r up rest < /proc/uptime
  echo "@seconds $((${up%.*} - begun / 100))"
  # sudo removes the variable, so look at the parent processes as well.
  while [ "${holder:-0}" -gt 1 ]; do
    from=$(tr '\0' '\n' 2>/dev/null < "/proc/$holder/environ" | sed -n 's/^SSH_CONNECTION=//p')
    [ -z "$from" ] || break
    holder=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$holder/status" 2>/dev/null)
  done
  echo "@from ${from%% *}"
  break
done
echo "@looked"
