//! A small HTTP/1.1 client over a plain socket: what a test needs to speak to the program, and nothing between.
//!
//! Promises: an answer is complete or an error; a connection that breaks off in the middle is never taken for an
//! answer, because "acknowledged" means that the client has read all of it.
//! Refuses: redirects, TLS, compressed answers.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Nothing that these tests ask for takes longer, even on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const BODY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
const HEADER_LINES_MAX: usize = 100;

/// A complete answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }
}

/// One connection that is used for many requests, one after another.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIME_MAX))?;
        stream.set_write_timeout(Some(TIME_MAX))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            host: address.to_owned(),
        })
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], &[])
    }

    pub(crate) fn post(
        &mut self,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        self.send("POST", path, &[("content-type", content_type)], body)
    }

    /// Sends one request and reads its whole answer.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut message = head.into_bytes();
        message.extend_from_slice(body);
        self.stream.get_mut().write_all(&message)?;
        self.read_answer()
    }

    fn read_answer(&mut self) -> io::Result<Answer> {
        let status_line = self.read_line()?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        let status: u16 =
            status.ok_or_else(|| broken(&format!("odd status line \"{status_line}\"")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| broken("a header without a colon"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            if headers.len() > HEADER_LINES_MAX {
                return Err(broken("too many headers"));
            }
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        answer.body = self.read_body(&answer)?;
        Ok(answer)
    }

    fn read_body(&mut self, answer: &Answer) -> io::Result<Vec<u8>> {
        if answer
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            return self.read_chunks();
        }
        if let Some(length) = answer.header("content-length") {
            let length = length.parse().map_err(|_| broken("odd content-length"))?;
            return self.read_exactly(length);
        }
        if answer.status == 204 || answer.status == 304 {
            return Ok(Vec::new());
        }
        let mut body = Vec::new();
        self.stream
            .by_ref()
            .take(BODY_BYTES_MAX)
            .read_to_end(&mut body)?;
        Ok(body)
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line()?;
            let size = line.split(';').next().unwrap_or("").trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| broken("odd chunk size"))?;
            body.extend(self.read_exactly(size)?);
            if !self.read_line()?.is_empty() {
                return Err(broken("a chunk without its end"));
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn read_exactly(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        let read = self
            .stream
            .by_ref()
            .take(length.min(BODY_BYTES_MAX))
            .read_to_end(&mut body)?;
        if u64::try_from(read).ok() == Some(length) {
            Ok(body)
        } else {
            Err(broken("the answer breaks off"))
        }
    }

    fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line)?;
        if read == 0 || !line.ends_with('\n') {
            return Err(broken("the connection was closed"));
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, what.to_owned())
}

/// Asks once, over a connection of its own.
pub(crate) fn get(address: &str, path: &str) -> io::Result<Answer> {
    Connection::open(address)?.get(path)
}

#[test]
fn takes_a_broken_answer_for_an_error_and_reads_both_forms_of_a_body() {
    let answers = [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            Some("hello"),
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", None),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            Some("hello"),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
            None,
        ),
        ("HTTP/1.1 200 OK\r\ncontent-le", None),
    ];
    for (text, expected) in answers {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).unwrap();
            assert!(read > 0);
            stream.write_all(text.as_bytes()).unwrap();
        });
        let answer = get(&address, "/").ok().map(|answer| answer.text());
        server.join().unwrap();
        assert_eq!(answer.as_deref(), expected, "{text}");
    }
}
