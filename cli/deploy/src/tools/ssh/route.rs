//! The address behind a name of ssh_config, for a computer that has another ssh_config.

use super::Login;

/// Where `ssh` connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The user that logs in.
    pub user: String,
    /// `HostName`.
    pub host: String,
    /// `Port`.
    pub port: u16,
}

impl Login {
    /// Where this login goes to.
    ///
    /// # Errors
    /// When only the user's ssh_config can go there.
    pub async fn route(&self) -> Result<Route, String> {
        let settings = self.settings().await.unwrap_or_default();
        Route::read(&settings)
    }
}

impl Route {
    fn read(settings: &str) -> Result<Self, String> {
        let value = |name: &str| {
            let mut lines = settings.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(word, _)| *word == name).map(|(_, value)| value.trim())
        };
        for (name, shown) in [("proxyjump", "ProxyJump"), ("proxycommand", "ProxyCommand")] {
            if value(name).is_some_and(|value| value != "none") {
                return Err(format!("ssh goes there by {shown}"));
            }
        }
        let route = || {
            let port = value("port")?.parse().ok()?;
            Some(Self { user: value("user")?.into(), host: value("hostname")?.into(), port })
        };
        let plain = |text: &str| {
            let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
            !text.is_empty() && !text.starts_with('-') && text.bytes().all(byte)
        };
        route()
            .filter(|route| plain(&route.user) && plain(&route.host))
            .ok_or_else(|| "ssh has no plain address for it".to_owned())
    }

    /// As Nix's store URLs have it; the port is not part of it.
    pub fn user_at_host(&self) -> String {
        if self.host.contains(':') {
            format!("{}@[{}]", self.user, self.host)
        } else {
            format!("{}@{}", self.user, self.host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_where_a_builder_can_go_there_too() {
        let said = "host frame1\nuser root\nhostname 10.0.0.1\nport 2222\n";
        let route = Route::read(said).unwrap();
        assert_eq!((route.user_at_host().as_str(), route.port), ("root@10.0.0.1", 2222));
        let six = Route::read("user a\nhostname fe80::1\nport 22\n").unwrap();
        assert_eq!(six.user_at_host(), "a@[fe80::1]");
        let jump = Route::read(&format!("{said}proxyjump gate\n")).unwrap_err();
        assert!(jump.contains("ProxyJump"), "{jump}");
        let command = Route::read(&format!("{said}proxycommand nc %h %p\n")).unwrap_err();
        assert!(command.contains("ProxyCommand"), "{command}");
        assert!(Route::read(&format!("{said}proxyjump none\nproxycommand none\n")).is_ok());
        for odd in ["", "user a b\nhostname x\nport 22\n", "user a\nhostname -x\nport 22\n"] {
            assert!(Route::read(odd).is_err(), "{odd}");
        }
    }
}
