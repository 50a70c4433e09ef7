{
  salt,
  kind,
  which,
}:
let
  run = name: script: env: derivation (
    {
      inherit name salt;
      system = "x86_64-linux";
      builder = "/bin/sh";
      PATH = "/usr/bin:/bin";
      args = [ "-euc" script ];
    }
    // env
  );
  library = run "library-1.0" "mkdir $out; echo library > $out/lib" { };

  # What the path names stands at the end of each larger file, as a program's rpath does in it.
  finish = ''
    find $out -type f -size +3k | while read -r file; do
      chmod u+w "$file"
      printf '%s/lib:%s/lib' "$library" "$out" >> "$file"
    done
  '';

  of = which: kernel: builtins.filter
    (file: (builtins.match "linux-image.*" file != null) == kernel)
    (builtins.attrNames (builtins.readDir (/debs + "/${which}")));

  nameOf = file:
    let
      parts = builtins.match "([^_]*)_([0-9]+%3a)?([0-9.]+).*" file;
      package = builtins.head parts;
      plain = if builtins.match "linux-image.*" file != null then "linux" else package;
    in
    "${plain}-${builtins.elemAt parts 2}";

  package = which: more: file: derivationOf (nameOf file) more which file;
  derivationOf = name: more: which: file: run name
    ''
      mkdir $out
      dpkg-deb --fsys-tarfile "$deb" | tar -x -C $out --no-same-owner --no-same-permissions
      ${more}
      ${finish}
    ''
    {
      inherit library;
      deb = "/debs/${which}/${file}";
    };

  # The contents of other packages than the machine has under these names, which share nothing with
  # them; and the same under names that the machine has nothing of.
  some = of "old" false;
  turned = builtins.tail some ++ [ (builtins.head some) ];
  imap = f: list: builtins.genList (at: f at (builtins.elemAt list at)) (builtins.length list);
  named = prefix: at: file: derivationOf "${prefix}${toString at}-1" "" "old" file;

  packages = {
    unlike =
      if which == "old" then
        imap (named "alike") some
      else if which == "new" then
        imap (named "alike") turned
      else
        imap (named "fresh${which}x") turned;
    rebuilt = map (package "old" "") (of "old" false);
    updated = map (package which "") (of which false);
    kernel = map (package which "") (of which true);
    file = map (package "old" (if which == "new" then "echo changed >> $(find $out -type f -size +20k | sort | head -n 1)" else ""))
      (builtins.filter (file: builtins.match "libpython.*" file != null) (of "old" false));
  };
in
packages.${kind}
