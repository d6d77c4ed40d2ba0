//! A small HTTP/1.1 client that keeps its connection.
//!
//! Promises: one connection, no pipelining, nothing shared between threads; times measured around a call are the
//! answer's last byte. Refuses: redirects, compression, encryption, bodies over [`BODY_BYTES_MAX`].

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Far above any answer that is asked for.
const BODY_BYTES_MAX: u64 = 1 << 30;
const HEADERS_MAX: usize = 100;
/// A server that says nothing for so long is taken for stuck.
const SILENCE_MAX: Duration = Duration::from_secs(120);
const READ_BUFFER_BYTES: usize = 64 << 10;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Gives the first header of this name (in lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Gives the beginning of the body as text, for messages.
    pub(crate) fn excerpt(&self) -> String {
        const EXCERPT_BYTES: usize = 300;
        let begin = self.body.get(..EXCERPT_BYTES).unwrap_or(&self.body);
        String::from_utf8_lossy(begin).trim().to_owned()
    }

    /// Tells whether the server will close the connection behind this answer.
    fn is_last(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// A connection to one address; opened when it is first needed, and anew after the server has closed it.
#[derive(Debug)]
pub(crate) struct Connection {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// Prepares a connection to `host:port`.
    pub(crate) fn to(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            stream: None,
        }
    }

    /// Asks for a path.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.exchange(&head, &[])
    }

    /// Sends a body to a path.
    pub(crate) fn post(
        &mut self,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        let (address, length) = (&self.address, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {content_type}\r\n\
             content-length: {length}\r\n\r\n"
        );
        self.exchange(&head, body)
    }

    /// Closes the connection; the next question opens another one.
    pub(crate) fn close(&mut self) {
        self.stream = None;
    }

    fn exchange(&mut self, head: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(&self.address)?,
        };
        // After an error the connection is in an unknown state, and is dropped with `stream`.
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(body)?;
        let answer = read_answer(&mut stream)?;
        if !answer.is_last() {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

fn open(address: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    Ok(BufReader::with_capacity(READ_BUFFER_BYTES, stream))
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let status_line = read_line(stream)?;
    let status = status_line.split(' ').nth(1);
    let status = status
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| broken(&format!("odd status line {status_line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| broken("a header without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        if headers.len() > HEADERS_MAX {
            return Err(broken("too many headers"));
        }
    }
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    answer.body = read_body(stream, &answer)?;
    Ok(answer)
}

fn read_body(stream: &mut BufReader<TcpStream>, answer: &Answer) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if let Some(length) = answer.header("content-length") {
        let length = length.parse().map_err(|_| broken("odd content-length"))?;
        read_exactly(stream, length, &mut body)?;
    } else if answer.header("transfer-encoding").is_some() {
        read_chunks(stream, &mut body)?;
    } else if answer.status != 204 && answer.status != 304 {
        return Err(broken("an answer of unknown length"));
    }
    Ok(body)
}

fn read_chunks(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(stream)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| broken("odd size of a chunk"))?;
        read_exactly(stream, size, body)?;
        if !read_line(stream)?.is_empty() {
            return Err(broken("a chunk without its end"));
        }
        if size == 0 {
            return Ok(());
        }
    }
}

fn read_exactly(
    stream: &mut BufReader<TcpStream>,
    bytes: u64,
    body: &mut Vec<u8>,
) -> io::Result<()> {
    if bytes + body.len() as u64 > BODY_BYTES_MAX {
        return Err(broken("the body is too long"));
    }
    let read = stream.take(bytes).read_to_end(body)?;
    if read as u64 == bytes {
        Ok(())
    } else {
        Err(broken("the answer breaks off"))
    }
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    const LINE_BYTES_MAX: u64 = 64 << 10;
    let mut line = String::new();
    stream.take(LINE_BYTES_MAX).read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Err(broken("the connection was closed"));
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, what.to_owned())
}

/// Writes a text so that it can stand in a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Answers each connection with the next of some texts, and asks twice.
    fn ask_twice(texts: &'static [&'static str]) -> Vec<io::Result<Answer>> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut connection = Connection::to(&listener.local_addr().unwrap().to_string());
        let server = std::thread::spawn(move || {
            for text in texts {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1024];
                assert!(stream.read(&mut request).unwrap() > 0);
                stream.write_all(text.as_bytes()).unwrap();
            }
        });
        let answers = texts.iter().map(|_| connection.get("/")).collect();
        server.join().unwrap();
        answers
    }

    #[test]
    fn reads_bodies_of_both_forms_and_opens_anew_what_was_closed() {
        let answers = ask_twice(&[
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        ]);
        let [Ok(first), Ok(second)] = &answers[..] else {
            panic!("{answers:?}")
        };
        assert_eq!((first.status, &first.body[..]), (200, &b"hello"[..]));
        assert_eq!((second.status, &second.body[..]), (429, &b"hello"[..]));
        assert_eq!(second.header("retry-after"), Some("3"));
    }

    #[test]
    fn takes_an_answer_that_breaks_off_for_an_error() {
        let answers = ask_twice(&[
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel",
            "HTTP/1.1 200 OK\r\ncontent-le",
            "HTTP/1.1 200 OK\r\n\r\nno length",
        ]);
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
    }

    #[test]
    fn encodes_all_but_the_plainest_bytes() {
        assert_eq!(encode("a-Z_0.9~"), "a-Z_0.9~");
        assert_eq!(
            encode("{\"a b\":\"ü\"}"),
            "%7B%22a%20b%22%3A%22%C3%BC%22%7D"
        );
    }
}
