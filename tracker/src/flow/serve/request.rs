//! What a browser asks, read from hostile bytes: the head of a request and nothing else.

/// No head that a browser sends to a local site is longer.
pub(super) const LONGEST: usize = 8 * 1024;

/// Why a request is not answered with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no request of HTTP/1.
    Nonsense,
    /// Another method than GET and HEAD: nothing here can be changed.
    Method,
    /// It names another host: a page from elsewhere may have led the browser here (DNS rebinding).
    Host,
    /// There is no such file.
    NotFound,
    /// The head is too long.
    TooLong,
}

impl Refusal {
    /// The line that says so.
    pub(super) fn status(self) -> &'static str {
        match self {
            Refusal::Nonsense => "400 Bad Request",
            Refusal::Method => "405 Method Not Allowed",
            Refusal::Host => "421 Misdirected Request",
            Refusal::NotFound => "404 Not Found",
            Refusal::TooLong => "431 Request Header Fields Too Large",
        }
    }
}

/// A request for a file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Whether only the answer's head is wanted.
    pub(super) head_only: bool,
    /// The file, seen from the site's folder: plain names, none of which leads out of it.
    pub(super) file: String,
    /// The content that the browser has already, by its tag.
    pub(super) known: Option<String>,
}

impl Request {
    /// Reads a whole head. `port` is the one that we listen at.
    pub(super) fn parse(head: &[u8], port: u16) -> Result<Request, Refusal> {
        let head = std::str::from_utf8(head).map_err(|_| Refusal::Nonsense)?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::Nonsense);
        };
        let mut hosts = Vec::new();
        let mut known = None;
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(Refusal::Nonsense)?;
            match name.to_ascii_lowercase().as_str() {
                "host" => hosts.push(value.trim()),
                "if-none-match" => known = Some(value.trim().to_owned()),
                // A body would have to be read to know where it ends; nobody who only reads sends one.
                "content-length" if value.trim() != "0" => return Err(Refusal::Nonsense),
                "transfer-encoding" => return Err(Refusal::Nonsense),
                _ => {}
            }
        }
        if !matches!(hosts[..], [host] if is_here(host, port)) {
            return Err(Refusal::Host);
        }
        let head_only = match method {
            "GET" => false,
            "HEAD" => true,
            _ => return Err(Refusal::Method),
        };
        let path = target.split(['?', '#']).next().unwrap_or_default();
        Ok(Request { head_only, file: file(path).ok_or(Refusal::NotFound)?, known })
    }
}

/// Whether a host is this machine, by a name that only it can have.
fn is_here(host: &str, port: u16) -> bool {
    let names = ["127.0.0.1", "localhost", "[::1]"];
    names.iter().any(|name| {
        let rest = host.to_ascii_lowercase().strip_prefix(name).map(str::to_owned);
        rest.is_some_and(|rest| rest == format!(":{port}") || (rest.is_empty() && port == 80))
    })
}

/// The file that a path names. Every file of a site has a plain name, so nothing is decoded, and what is not plain is not
/// there.
fn file(path: &str) -> Option<String> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some("index.html".to_owned());
    }
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, b'-' | b'_' | b'.'))
    };
    path.split('/').all(is_plain).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str, headers: &str) -> Result<Request, Refusal> {
        Request::parse(format!("{line}\r\n{headers}\r\n").as_bytes(), 4000)
    }

    const HOST: &str = "Host: 127.0.0.1:4000\r\n";

    #[test]
    fn a_path_is_a_plain_name_below_the_site_or_nothing() {
        for (path, expected) in [
            ("/", Some("index.html")),
            ("/index.html?x=1", Some("index.html")),
            ("/series/0a1b.html", Some("series/0a1b.html")),
            ("/../store.db", None),
            ("/..", None),
            ("/series/../../store.db", None),
            ("/%2e%2e/store.db", None),
            ("/..%2fstore.db", None),
            ("//etc/passwd", None),
            ("/series//x", None),
            ("/.hidden", None),
            ("/a\\..\\b", None),
            ("/a\0b", None),
            ("/ä", None),
            ("http://127.0.0.1:4000/", None),
            ("*", None),
        ] {
            let request = asked(&format!("GET {path} HTTP/1.1"), HOST);
            assert_eq!(request.map(|request| request.file).ok().as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn only_reading_is_answered_and_only_for_a_host_that_is_this_machine() {
        assert!(asked("HEAD / HTTP/1.0", HOST).unwrap().head_only);
        assert_eq!(
            asked("GET / HTTP/1.1", "Host: LocalHost:4000\r\nIf-None-Match: \"a\"\r\n").unwrap().known.unwrap(),
            "\"a\""
        );
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"] {
            assert_eq!(asked(&format!("{method} / HTTP/1.1"), HOST), Err(Refusal::Method), "{method}");
        }
        for headers in [
            "",
            "Host: example.invalid\r\n",
            "Host: 127.0.0.1:4001\r\n",
            "Host: 127.0.0.1\r\n",
            "Host: 127.0.0.1:4000.example.invalid\r\n",
            "Host: localhost.example.invalid:4000\r\n",
            "Host: 127.0.0.1:4000\r\nHost: example.invalid\r\n",
            "X-Host: 127.0.0.1:4000\r\n",
        ] {
            assert_eq!(asked("GET / HTTP/1.1", headers), Err(Refusal::Host), "{headers}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for line in ["", "GET /", "GET / HTTP/2", "GET  / HTTP/1.1", "GET / HTTP/1.1 x", "\u{16}\u{3}\u{1}"] {
            assert_eq!(asked(line, HOST), Err(Refusal::Nonsense), "{line:?}");
        }
        for more in ["no colon\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
            assert_eq!(asked("GET / HTTP/1.1", &format!("{HOST}{more}")), Err(Refusal::Nonsense), "{more}");
        }
        assert_eq!(Request::parse(b"\xff\xfe", 4000), Err(Refusal::Nonsense));
    }
}
