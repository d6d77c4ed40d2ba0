//! The app's files, as they were built into the program.

use std::io::Read as _;

use flate2::read::GzDecoder;

/// A file of the app.
#[derive(Debug)]
pub(super) struct File {
    /// Below the folder of the app, with `/`.
    pub(super) path: &'static str,
    pub(super) body: Body,
}

/// How a file is kept.
#[derive(Debug)]
#[allow(
    dead_code,
    reason = "a program that was built without the app has no file"
)]
pub(super) enum Body {
    Plain(&'static [u8]),
    /// Twice, for what browsers take.
    Compressed {
        br: &'static [u8],
        gz: &'static [u8],
    },
}

/// All files, by path; none where the app was not built.
pub(super) static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// The file of some with a path; they are sorted by theirs.
pub(super) fn find(files: &'static [File], path: &str) -> Option<&'static File> {
    let at = files.binary_search_by_key(&path, |file| file.path).ok()?;
    files.get(at)
}

impl File {
    pub(super) fn content_type(&self) -> &'static str {
        let ending = self.path.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "woff2" => "font/woff2",
            "json" => "application/json",
            "png" => "image/png",
            _ => "application/octet-stream",
        }
    }

    /// The file as it was before it was compressed.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.body {
            Body::Plain(plain) => bytes.extend_from_slice(plain),
            Body::Compressed { gz, .. } => {
                GzDecoder::new(gz).read_to_end(&mut bytes).ok()?;
            }
        }
        Some(bytes)
    }

    pub(super) fn text(&self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }
}
