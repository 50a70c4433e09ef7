# Start order and limits.
{ service, one }:
{
  "starting after a service that there is not, after one that is elsewhere, without a unit" =
    one
      [
        (service "a" {
          unit = "a.service";
          startAfter = [
            "gone"
            "box"
          ];
        })
        (service "box" {
          bind = "192.168.2.7";
          startAfter = [ "a" ];
          limits.memory = "1G";
        })
      ]
      [
        "a starts after box starts after a: change homelab.services.a.startAfter, or that of another one of them"
        "a starts after box, which has no unit on this machine: change homelab.services.a.startAfter, or set homelab.services.box.unit"
        "a starts after gone, which is no enabled service: change homelab.services.a.startAfter, or declare homelab.services.gone"
        "homelab.services.box.limits is for units, and box has none: set homelab.services.box.unit, or leave it out"
        "homelab.services.box.startAfter is for units, and box has none: set homelab.services.box.unit, or leave it out"
      ];

  "limits of what is no service of systemd" =
    one
      [
        (service "a" {
          unit = "a.socket";
          limits.tasks = 10;
        })
      ]
      "a.socket of a is no service of systemd, and start order and limits are for these: change homelab.services.a.unit, or leave out homelab.services.a.startAfter and limits";

  "services that wait for each other, and one for itself" =
    one
      [
        (service "a" {
          unit = "a.service";
          startAfter = [ "c" ];
        })
        (service "b" {
          unit = "b.service";
          startAfter = [ "a" ];
        })
        (service "c" {
          unit = "c.service";
          startAfter = [
            "b"
            "c"
          ];
        })
        (service "d" {
          unit = "d.service";
          startAfter = [ "a" ];
        })
      ]
      [
        "a starts after c starts after b starts after a: change homelab.services.a.startAfter, or that of another one of them"
        "c starts after c: change homelab.services.c.startAfter, or that of another one of them"
      ];
}
