//! Why a file can't be read, in words that help: what lies beside it where it is not there.
//!
//! Promises: names of files alone are told, nothing of what is in them; an answer, never an error.

use std::io;
use std::path::Path;

/// So many names are told.
const NAMES_MAX: usize = 8;

/// Says why a file could not be read. Blocks.
#[must_use]
pub fn why_unread(path: &Path, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::NotFound {
        return error.to_string();
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!("there is no folder {}", folder.display());
    };
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    // A volume of Kubernetes has its files behind links, in folders whose names begin with two dots.
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("..")).collect();
    names.sort();
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    let mut told = names.join(", ");
    if more > 0 {
        told.push_str(&format!(" and {more} more"));
    }
    match told.is_empty() {
        true => format!("there is no such file, and its folder is empty ({error})"),
        false => format!("there is no such file, its folder has {told} ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_lies_beside_a_missing_file() {
        let folder = std::env::temp_dir().join(format!("trackway-unread-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let missing = folder.join("ca.crt");
        let told = || why_unread(&missing, &std::fs::read(&missing).unwrap_err());
        assert!(told().contains("its folder is empty"), "{}", told());
        std::fs::write(folder.join("tls.crt"), "").unwrap();
        std::fs::write(folder.join("..data"), "").unwrap();
        assert!(told().contains("its folder has tls.crt ("), "{}", told());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(told().starts_with("there is no folder "), "{}", told());
        let folder = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(why_unread(&missing, &folder), "permission denied");
    }
}
