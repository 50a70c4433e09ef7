# Builder: a file of `kib` KiB that repeats `content`, for what has a size and has to
# differ between generations (kernel, initrd, ballast).
mkdir -p "$out"
yes "$content" | head -c "$((kib * 1024))" > "$out/$file"
