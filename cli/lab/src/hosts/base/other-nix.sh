# Runs inside the hosts' root with a layer above it, once: Nix of other releases of Debian in
# /opt/nix-SUITE, with the libraries of those releases. Nothing is installed.
# Its text is part of the layer's version.
set -eu
for suite in bookworm sid; do
  place=/opt/nix-$suite
  state=/var/tmp/apt-$suite
  mkdir -p "$place" "$state/lists/partial" "$state/archives/partial"
  : > "$state/status"
  sed "s, trixie , $suite ," /etc/apt/sources.list > "$state/sources.list"
  set -- -q -y -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state" \
    -o APT::Sandbox::User=root
  apt-get "$@" update
  apt-get "$@" install --download-only --no-install-recommends nix-bin
  for package in "$state"/archives/*.deb; do
    dpkg-deb -x "$package" "$place"
  done
  rm -rf "$state"
  libraries=$place/usr/lib/x86_64-linux-gnu
  [ -d "$libraries" ] || libraries=$place/lib/x86_64-linux-gnu
  loader=$(find "$place" -name ld-linux-x86-64.so.2 -type f | head -n 1)
  # An older release has libraries in /lib as well, and Nix's own in a folder with an rpath.
  rpath=$libraries:$place/usr/lib/nix:$place/lib/x86_64-linux-gnu
  program=$(readlink -f "$place/usr/bin/nix")
  patchelf --set-interpreter "$loader" "$program"
  for file in "$program" $(find "$place" -name 'libnix*.so*' -type f); do
    patchelf --force-rpath --set-rpath "$rpath" "$file"
  done
  "$place/usr/bin/nix" --version
done
