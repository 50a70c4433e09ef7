//! The Wi-Fi of an installer: a connection of NetworkManager's, which NixOS's installer runs.

use zeroize::Zeroizing;

/// The connection that a secret's text means: one of NetworkManager's own (it has `[connection]`), or
/// two lines, the network's name and its password. The error never has a part of the text.
pub fn connection(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is no text".to_owned())?;
    if text.lines().any(|line| line.trim() == "[connection]") {
        return Ok(Zeroizing::new(text.as_bytes().to_vec()));
    }
    let wanted = "it has to be two lines, the network's name and its password, or a connection of \
                  NetworkManager's";
    let mut lines = text.trim_end_matches(['\n', '\r']).lines();
    let (Some(name), Some(password), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err(wanted.into());
    };
    if !(1..=32).contains(&name.len()) {
        return Err("the network's name, its first line, has to be 1 to 32 bytes".into());
    }
    let is_key = password.len() == 64 && password.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_key && !(8..=63).contains(&password.len()) {
        return Err("the password, its second line, has to be 8 to 63 bytes".into());
    }
    let (name, password) = (Zeroizing::new(escaped(name)), Zeroizing::new(escaped(password)));
    let parts = [
        "[connection]\nid=deploy-installer\ntype=wifi\n\n[wifi]\nmode=infrastructure\nssid=",
        &name,
        "\n\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=",
        &password,
        "\n\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n",
    ];
    Ok(Zeroizing::new(parts.concat().into_bytes()))
}

/// A value as a key file has it: `;` would make it a list, and blanks at its ends would be lost.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len() * 2);
    let last = value.chars().count().saturating_sub(1);
    for (index, letter) in value.chars().enumerate() {
        match letter {
            '\\' => text.push_str("\\\\"),
            ';' => text.push_str("\\;"),
            '\t' => text.push_str("\\t"),
            ' ' if index == 0 || index == last => text.push_str("\\s"),
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_are_a_connection_and_one_of_network_manager_stays() {
        let made = connection(b"my; net\npass\\word \n").unwrap();
        let made = String::from_utf8(made.to_vec()).unwrap();
        assert!(made.contains("\nssid=my\\; net\n"), "{made}");
        assert!(made.contains("\npsk=pass\\\\word\\s\n"), "{made}");
        let own = b"[connection]\ntype=wifi\n[802-1x]\neap=peap\n";
        assert_eq!(*connection(own).unwrap(), own);
    }

    #[test]
    fn what_no_network_has_is_told_without_the_text() {
        for (text, why) in [
            (&b"only-a-name\n"[..], "it has to be two lines"),
            (b"a\nsecret-one\nthird\n", "it has to be two lines"),
            (b"\nsecret-one\n", "the network's name"),
            (b"net\nshort\n", "the password"),
            (b"\xff\n", "it is no text"),
        ] {
            let told = connection(text).unwrap_err();
            assert!(told.starts_with(why) && !told.contains("secret-one"), "{told}");
        }
    }
}
