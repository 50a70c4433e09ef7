# Puts agenix's secrets in place, for install.nix, which sets before:
#   STEP         install, or own: owners exist only once NixOS has made the users
#   LIST         lines NAME, FILE, PATH, MODE, OWNER, GROUP, SYMLINK (1 or empty), with tabs
#   SECRETS_DIR, MOUNT_POINT, AGE (may be a piece of shell), IDENTITIES: agenix's options
#
# What agenix's own script does not: where a secret cannot be decrypted, the generation of before
# stays as it is; and what did not change is copied from it. At boot there is none before, and all
# that can be decrypted is put in place.

# NixOS counts a step that fails, and goes on with the next one.
set +e

target=$(readlink "$SECRETS_DIR") || target=0
case ${target##*/} in
  '' | *[!0-9]*) number=0 ;;
  *) number=${target##*/} ;;
esac
old=$MOUNT_POINT/$number

# The keys that there are, and which: with another host key everything is decrypted anew.
keys() {
  printf 'key %s\n' "$AGE"
  for identity in "${IDENTITIES[@]}"; do
    stat --dereference --format 'key %n %i %s %Y' "$identity" 2> /dev/null || :
  done
}

# The secrets of the generation of before that are still what they were: in `same`.
look_back() {
  declare -gA same=()
  [ -f "$old/.sources" ] && [ "$(grep '^key ' "$old/.sources")" = "$(keys)" ] || return 0
  local -A sums=()
  local -a names=()
  local word sum name file mode
  while IFS=$'\t' read -r word name sum file mode; do
    [ "$word" = secret ] && [ -s "$old/$name" ] && names+=("$name") && sums[$name]=$sum$'\t'$file$'\t'$mode
  done < "$old/.sources"
  [ "${#names[@]}" -gt 0 ] || return 0
  # Somebody may have written into a file meanwhile.
  while read -r sum name; do
    [ "${sums[$name]%%$'\t'*}" = "$sum" ] && same[$name]=${sums[$name]#*$'\t'}
  done < <(cd "$old" && sha256sum -- "${names[@]}")
}

decrypt() { # FILE TARGET MODE
  mkdir -p "$(dirname "$2")"
  (umask u=r,g=,o= && eval "$AGE"' --decrypt "${used[@]}" -o "$2" "$1"') && chmod "$3" "$2"
}

# Copies what did not change. Somebody may have changed a mode meanwhile.
copy_same() {
  local name mode
  local -A of=()
  (cd "$old" && cp --archive --parents --target-directory "$new" -- "${copied[@]}") || return 1
  for name in "${copied[@]}"; do
    mode=${same[$name]#*$'\t'}
    of[$mode]+=$new/$name$'\n'
  done
  for mode in "${!of[@]}"; do
    mapfile -t paths <<< "${of[$mode]%$'\n'}"
    chmod "$mode" -- "${paths[@]}" || return 1
  done
}

install_secrets() {
  local new=$MOUNT_POINT/$((number + 1)) name file path mode symlink identity
  local -a used=() failed=() copied=() names=() direct=()
  mkdir -p "$MOUNT_POINT"
  chmod 0751 "$MOUNT_POINT"
  grep -q "$MOUNT_POINT ramfs" /proc/mounts ||
    mount -t ramfs none "$MOUNT_POINT" -o nodev,nosuid,mode=0751
  rm -rf "${new:?}"
  mkdir "$new"
  chmod 0751 "$new"
  for identity in "${IDENTITIES[@]}"; do
    [ -r "$identity" ] && [ -s "$identity" ] && used+=(-i "$identity")
  done
  look_back
  while IFS=$'\t' read -r name file path mode _ _ symlink; do
    if [ -z "$symlink" ]; then
      decrypt "$file" "$path.tmp" "$mode" && direct+=("$path") && continue
    elif [ "${same[$name]-}" = "$file"$'\t'"$mode" ]; then
      copied+=("$name") && names+=("$name") && continue
    else
      decrypt "$file" "$new/$name" "$mode" && names+=("$name") && continue
    fi
    failed+=("$name")
    echo "secret $name: $file cannot be decrypted with ${IDENTITIES[*]}" >&2
  done < "$LIST"
  if [ "${#copied[@]}" -gt 0 ]; then
    copy_same || failed+=("${copied[@]}")
  fi
  if [ "${#failed[@]}" -gt 0 ] && [ -d "$old" ]; then
    rm -rf "${new:?}" "${direct[@]/%/.tmp}"
    echo "the secrets of before stay in $SECRETS_DIR: ${#failed[@]} of the new system cannot be decrypted" >&2
    return 1
  fi
  note_sources "$new"
  ln -sfT "$new" "$SECRETS_DIR.next"
  mv -fT "$SECRETS_DIR.next" "$SECRETS_DIR"
  for path in "${direct[@]}"; do
    mv -f "$path.tmp" "$path"
  done
  while IFS=$'\t' read -r name _ path _ _ _ symlink; do
    [ -z "$symlink" ] || [ "$path" = "$SECRETS_DIR/$name" ] && continue
    mkdir -p "$(dirname "$path")"
    ln -sfT "$SECRETS_DIR/$name" "$path"
  done < "$LIST"
  [ "$number" -eq 0 ] || rm -rf "${old:?}"
  echo "secrets: ${#copied[@]} of $((${#names[@]} + ${#direct[@]} + ${#failed[@]})) did not change"
  [ "${#failed[@]}" -eq 0 ]
}

# Where each secret of a generation comes from. It is in memory and root's, as the secrets are.
note_sources() { # GENERATION
  local sum name file mode
  local -A files=()
  while IFS=$'\t' read -r name file _ mode _; do
    files[$name]=$file$'\t'$mode
  done < "$LIST"
  (
    umask 077
    {
      printf 'list\t%s\n' "$LIST"
      keys
      [ "${#names[@]}" -eq 0 ] || while read -r sum name; do
        printf 'secret\t%s\t%s\t%s\n' "$name" "$sum" "${files[$name]}"
      done < <(cd "$1" && sha256sum -- "${names[@]}")
    } > "$1/.sources"
  )
}

# Nothing where the generation is another system's: its owners are that system's.
own_secrets() {
  local owners owner name path group symlink
  local -A of=()
  grep -qxF "list"$'\t'"$LIST" "$old/.sources" 2> /dev/null || return 0
  chown :keys "$MOUNT_POINT" "$old"
  while IFS=$'\t' read -r name _ path _ owner group symlink; do
    [ -n "$symlink" ] && path=$old/$name
    [ -e "$path" ] && of[$owner:$group]+=$path$'\n'
  done < "$LIST"
  for owners in "${!of[@]}"; do
    mapfile -t paths <<< "${of[$owners]%$'\n'}"
    chown "$owners" -- "${paths[@]}"
  done
}

"${STEP}_secrets"
