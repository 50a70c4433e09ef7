//! One HTTP/1.1 request, of which the check reads the status line and the body.

use std::io::{Read, Write};

use deploy_wire::machine::CheckKind;

use super::{limit::Limit, tcp, tls};

/// The limit of a response in bytes.
const ANSWER: usize = 4 << 20;

/// Sends the request and compares the response.
pub fn look(kind: &CheckKind, limit: Limit) -> Result<String, String> {
    let CheckKind::Http { address, port, host, sni, path, status, contains } = kind else {
        return Err("not an HTTP check".into());
    };
    let host = host.as_deref().unwrap_or(address);
    let expected = Expected { status: *status, contains: contains.as_deref() };
    match sni {
        None => ask(tcp::connect(address, *port, limit)?, host, path, expected),
        Some(sni) => ask(tls::connect(address, *port, sni, limit)?, host, path, expected),
    }
}

/// The expected response.
#[derive(Debug, Clone, Copy)]
struct Expected<'a> {
    status: u16,
    contains: Option<&'a str>,
}

/// Sends the request and reads until the response can be judged. A server may keep the connection
/// open, or send more than the check needs. The request is HTTP/1.0, so that the response is not
/// chunked.
fn ask(
    mut stream: impl Read + Write,
    host: &str,
    path: &str,
    expected: Expected<'_>,
) -> Result<String, String> {
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: deploy-agent\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let mut part = [0; 1 << 14];
    loop {
        let (length, error) = match stream.read(&mut part) {
            Ok(length) => (length, None),
            // A connection that is reset after a complete response is fine; a late response is not.
            Err(error) => (0, Some(error)),
        };
        answer.extend_from_slice(&part[..length]);
        let over = length == 0 || answer.len() >= ANSWER;
        match judge(&answer, expected, over) {
            Some(judged) => {
                return match error {
                    Some(error) if answer.is_empty() || is_late(&error) => Err(error.to_string()),
                    _ => judged,
                };
            }
            None => continue,
        }
    }
}

fn is_late(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::TimedOut
}

/// Judges a response, of which more follows unless it is `over`. `None` until that is possible.
fn judge(answer: &[u8], expected: Expected<'_>, over: bool) -> Option<Result<String, String>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = match end {
        Some(end) => (&answer[..end], &answer[end + 4..]),
        None if over => (answer, &[][..]),
        None => return None,
    };
    let head = String::from_utf8_lossy(head);
    let found = head
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u16>().ok());
    let Some(found) = found else { return Some(Err("the answer is not HTTP".into())) };
    if found != expected.status {
        return Some(Err(format!("status {found}, {} is expected", expected.status)));
    }
    let has = |wanted: &str| String::from_utf8_lossy(body).contains(wanted);
    match expected.contains {
        Some(wanted) if !has(wanted) => {
            let whole = over || length(&head).is_some_and(|length| body.len() >= length);
            whole.then(|| Err(format!("status {found}, but the body does not contain `{wanted}`")))
        }
        _ => Some(Ok(format!("status {found}"))),
    }
}

fn length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
