# Builder: makes the symbolic links that the lines of `files` name, "PATH TARGET".
mkdir -p "$out"
while read -r path target; do
  [ -n "$path" ] || continue
  case $path in */*) mkdir -p "$out/${path%/*}" ;; esac
  ln -s "$target" "$out/$path"
done < "$filesPath"
