# Builder: a file of `kib` KiB that repeats `content`, for what has a size and has to
# differ between generations (kernel, initrd, ballast); or a copy of the file `copied` of the machine
# that builds.
mkdir -p "$out"
if [ -n "${copied-}" ]; then
  cp "$copied" "$out/$file"
  exit
fi
yes "$content" | head -c "$((kib * 1024))" > "$out/$file"
