# Prints the facts of a machine at the login, before anything is built. Changes nothing.
# Needs sh, cat, sed, grep, tr, ls, uname, readlink, df, tail, date and nix-store, which every
# NixOS has.
# $WANTED: the wanted system, or a deploy-rs profile around it. `profiles` asks for the other
# profiles, with getent, id and cut.
say() { printf '@%s %s\n' "$1" "$2"; }
text() {
  [ -r "$2" ] || return 0
  printf '@file %s\n' "$1"; sed 's/^/|/' "$2"; echo; echo '@endfile'
}
real() { [ -e "$1" ] && readlink -f "$1"; }
say machine "$(uname -m)"
say host "$(uname -n)"
say machineId "$(cat /etc/machine-id 2>/dev/null)"
echo '@file hostKeys'
for key in $(sed -n 's/^ *[Hh]ost[Kk]ey  *//p' /etc/ssh/sshd_config 2>/dev/null) /etc/ssh/ssh_host_*_key; do
  cat "$key.pub" 2>/dev/null
done | sed 's/^/|/'
echo '@endfile'
say runs "$(real /run/current-system)"
say booted "$(real /run/booted-system)"
say profile "$(readlink /nix/var/nix/profiles/system 2>/dev/null)"
say profileSystem "$(real /nix/var/nix/profiles/system)"
say nix "$(command -v nix-daemon)"
say env "$(command -v env || ls /usr/bin/env 2>/dev/null)"
say now "$(date +%s)"
say free "$(df -Pk /nix 2>/dev/null | tail -n 1)"
for part in kernel initrd kernel-modules systemd; do
  say "booted-$part" "$(real /run/booted-system/$part)"
done
[ -z "$WANTED" ] || say wanted "$(real "$WANTED/nixos-version")"
agent=$(readlink /nix/var/nix/gcroots/deploy-agent/agent 2>/dev/null)
say agent "$agent"
# Only if there is no agent, which would report them.
if [ -z "$agent" ] &&
  failed=$(systemctl list-units --state=failed --plain --no-legend --full 2>/dev/null); then
  echo '@file failedUnits'; printf '%s\n' "$failed" | sed 's/^/|/'; echo '@endfile'
fi
# Only before the first attempt: an image may be made without registering its store.
[ -n "$agent" ] ||
  case $(nix-store --check-validity "$(real /run/current-system)" 2>&1) in
    *'is not valid'*) say notRegistered yes ;;
  esac
say installed "$(real /run/current-system/sw/bin/deploy-agent)"
for unit in nixos-rebuild-switch-to-configuration.service nixos-upgrade.service; do
  state=$(systemctl is-active "$unit" 2>/dev/null)
  case $state in active | activating | reloading) say switching "$unit" ;; esac
done
systemctl list-units --plain --no-legend "deploy-agent-*.service" 2>/dev/null |
  while read -r unit rest; do say "watcher" "$unit"; done
text grub /boot/grub/grub.cfg
text extlinux /boot/extlinux/extlinux.conf
for esp in /boot /efi /boot/efi; do
  [ -r "$esp/loader/loader.conf" ] || continue
  text systemdBoot "$esp/loader/loader.conf"
  # One process for all entries, because there may be a hundred.
  echo '@file systemdBootEntries'
  grep -aH '' /boot/loader/entries/* /efi/loader/entries/* /boot/efi/loader/entries/* \
    2>/dev/null | sed 's/^/|/'
  echo '@endfile'
  say systemdBootImages "$(ls /boot/EFI/Linux /efi/EFI/Linux /boot/efi/EFI/Linux 2>/dev/null | tr '\n' '/')"
  if [ -d /sys/firmware/efi ]; then
    say efi "$(ls /sys/firmware/efi/efivars 2>/dev/null | sed -n 1p)"
    for name in LoaderEntryOneShot LoaderEntryDefault; do
      file=/sys/firmware/efi/efivars/$name-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
      [ -e "$file" ] || continue
      say "$name" "$(tail -c +5 "$file" | tr -d '\000')"
    done
  fi
  break
done
profiles
text attempt /nix/var/deploy-agent/attempt.json
text confirmed /nix/var/deploy-agent/confirmed.json
say facts end
