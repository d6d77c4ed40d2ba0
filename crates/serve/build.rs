//! Builds the web app's files into the program: a table of what `web/dist` has, or an empty one where it was not built.
//!
//! The files were made by `npm run build` in `web/`; what can be compressed lies there compressed, too, and only so is
//! it taken. `TRACKWAY_WEB_DIST` names another folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from);
    let missing = || io::Error::other("cargo sets no folder");
    let dist = variable("TRACKWAY_WEB_DIST")
        .or_else(|| Some(variable("CARGO_MANIFEST_DIR")?.join("../../web/dist")))
        .ok_or_else(missing)?;
    // A folder that is not there would have this crate built anew each time.
    if dist.parent().is_some_and(Path::is_dir) {
        fs::create_dir_all(&dist)?;
    }
    println!("cargo::rerun-if-env-changed=TRACKWAY_WEB_DIST");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut paths = Vec::new();
    if dist.join("index.html").is_file() {
        list(&dist, &mut paths)?;
        paths.sort();
    }
    let mut table = String::from("&[\n");
    for path in &paths {
        push_file(&mut table, &dist, path);
    }
    table.push(']');
    let out = variable("OUT_DIR").ok_or_else(missing)?;
    fs::write(out.join("web_files.rs"), table)
}

/// Lists the files that are served; those beside them that are compressed are found by their names.
fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            list(&path, paths)?;
        } else if !name.ends_with(".br") && !name.ends_with(".gz") {
            paths.push(path);
        }
    }
    Ok(())
}

fn push_file(table: &mut String, dist: &Path, path: &Path) {
    let name = path
        .strip_prefix(dist)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/");
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    let bytes = |path: &Path| {
        let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        format!("include_bytes!({absolute:?})")
    };
    let body = if beside(".br").is_file() && beside(".gz").is_file() {
        format!(
            "Body::Compressed {{ br: {}, gz: {} }}",
            bytes(&beside(".br")),
            bytes(&beside(".gz"))
        )
    } else {
        format!("Body::Plain({})", bytes(path))
    };
    // Writing to a text can't fail.
    let _written = writeln!(table, "    File {{ path: {name:?}, body: {body} }},");
}
