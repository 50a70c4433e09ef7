# Builder: bin, sbin and lib/systemd of the machine's own root, under a store path.
mkdir -p "$out/lib"
ln -s /usr/lib/lab/bin "$out/bin"
ln -s /usr/lib/lab/sbin "$out/sbin"
ln -s /usr/lib/systemd "$out/lib/systemd"
