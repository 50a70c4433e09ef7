//! One HTTP/1.1 request: status line and body.

use std::{
    io::{Read, Write},
    time::Duration,
};

use deploy_wire::machine::CheckKind;

use super::{tcp, tls};

/// How much of an answer is read.
const ANSWER: u64 = 4 << 20;

/// Asks a web server and compares its answer.
pub fn look(kind: &CheckKind, limit: Duration) -> Result<String, String> {
    let CheckKind::Http { address, port, host, sni, path, status, contains } = kind else {
        return Err("not an HTTP check".into());
    };
    let host = host.as_deref().unwrap_or(address);
    let answer = match sni {
        None => ask(tcp::connect(address, *port, limit)?, host, path)?,
        Some(sni) => ask(tls::connect(address, *port, sni, limit)?, host, path)?,
    };
    judge(&answer, *status, contains.as_deref())
}

/// Sends the request and reads all that comes. HTTP/1.0, so that the answer is
/// not in chunks and ends with the connection.
fn ask(mut stream: impl Read + Write, host: &str, path: &str) -> Result<Vec<u8>, String> {
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: deploy-agent\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    match stream.take(ANSWER).read_to_end(&mut answer) {
        // A server that closes rudely after its answer has answered.
        Err(error) if answer.is_empty() => Err(error.to_string()),
        _ => Ok(answer),
    }
}

fn judge(answer: &[u8], status: u16, contains: Option<&str>) -> Result<String, String> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let found = head
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u16>().ok())
        .ok_or("the answer is not HTTP")?;
    if found != status {
        return Err(format!("status {found}, {status} is expected"));
    }
    match contains {
        Some(wanted) if !body.contains(wanted) => {
            Err(format!("status {found}, but the body does not contain `{wanted}`"))
        }
        _ => Ok(format!("status {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_decide() {
        let answer = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{\"database\": \"ok\"}";
        assert_eq!(judge(answer, 200, Some("\"ok\"")), Ok("status 200".into()));
        assert_eq!(judge(answer, 204, None), Err("status 200, 204 is expected".into()));
        assert!(judge(answer, 200, Some("bad")).unwrap_err().contains("does not contain `bad`"));
        assert_eq!(judge(b"SSH-2.0-x\r\n", 200, None), Err("the answer is not HTTP".into()));
    }
}
