# Writes how the installer is reached into a file of agetty's, which shows it at the prompt of each
# console: reach.sh FILE [follow]. With `follow` it is written again whenever an address changes.
# Needs ip, sed, ssh-keygen and mktemp. Without busctl and avahi the host's name is shown, without
# agetty the prompts are not drawn again.
set -eu
file=$1

# What avahi calls it: with two installers in a network, one of them has another name.
name() {
  said=$(busctl --system call org.freedesktop.Avahi / org.freedesktop.Avahi.Server GetHostNameFqdn \
    2> /dev/null | sed -n 's/^s "\(.*\)"$/\1/p')
  echo "${said:-$(uname -n).local}"
}

# Addresses with their interfaces, those of IPv4 first.
addresses() {
  for family in -4 -6; do
    ip -o "$family" address show scope global 2> /dev/null |
      sed -nE 's/^[0-9]+: +([^ ]+) +inet6? +([^/ ]+).*/\2 \1/p'
  done
}

text() {
  all=$(addresses)
  echo
  if [ -z "$all" ]; then
    echo "This installer has no address yet. Plug in a cable, or write an image with Wi-Fi."
    return
  fi
  host=$(name)
  echo "This installer is reached over SSH, with the key of an admin:"
  echo
  echo "    ssh root@$host"
  echo "$all" | while read -r address interface; do
    printf '    ssh root@%s  (%s)\n' "$address" "$interface"
  done
  echo
  echo "The fingerprint that ssh shows has to be:"
  for key in /etc/ssh/ssh_host_*_key.pub; do
    [ ! -e "$key" ] || ssh-keygen -lf "$key" | sed -nE 's/^[0-9]+ ([^ ]+) .*\((.*)\)$/    \1 (\2)/p'
  done
  echo
  echo "From your computer, for the machine that this is to become:"
  echo
  echo "    deploy install NAME --host $host"
  echo
}

# agetty never reads half of it.
shown=
show() {
  now=$(text; echo .)
  [ "$now" != "$shown" ] || return 0
  shown=$now
  new=$(mktemp "$file.XXXXXX")
  printf '%s' "${now%.}" > "$new"
  chmod 644 "$new"
  mv "$new" "$file"
  agetty --reload 2> /dev/null || :
}

mkdir -p "${file%/*}"
show
[ "${2-}" = follow ] || exit 0
# What changes before the monitor listens is seen by looking again.
{ ip -o monitor address & while sleep 2; do echo; done; } | while read -r _; do show; done
