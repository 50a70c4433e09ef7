# Builder: bin, sbin and lib/systemd of the machine's own root, under a store path. With
# $agent that file is deploy-agent in bin.
mkdir -p "$out/lib"
if [ -n "${agent-}" ]; then
  mkdir "$out/bin"
  ln -s /usr/lib/lab/bin/* "$out/bin/"
  ln -s "$agent" "$out/bin/deploy-agent"
else
  ln -s /usr/lib/lab/bin "$out/bin"
fi
ln -s /usr/lib/lab/sbin "$out/sbin"
ln -s /usr/lib/systemd "$out/lib/systemd"
