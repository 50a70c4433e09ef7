# Builder: a file of `kib` KiB that begins with `content` and cannot be compressed, for what has a size
# and has to differ between generations (kernel, initrd, ballast); or a copy of the file `copied` of the machine
# that builds.
mkdir -p "$out"
if [ -n "${copied-}" ]; then
  cp "$copied" "$out/$file"
  exit
fi
# The cipher ends with an error when `head` has enough.
{
  echo "$content"
  openssl enc -aes-128-ctr -nosalt -md sha256 -pass "pass:$content" -in /dev/zero 2> /dev/null || :
} | head -c "$((kib * 1024))" > "$out/$file"
