//! Takes in segments that are whole and that the list does not name: a crash came before their commit, or the list has
//! lost it.
//!
//! Every segment's `.meta` file holds the commit that added it, and is written when the files of all segments of that
//! commit are durable. So whoever finds one finds the whole commit, and may do it again: spans that were moved from
//! some segments into others are the same in both.
//!
//! Promises
//! - A commit that moves spans is done wholly or not at all, so no span is lost, and none is in two places for good.
//! - A segment that was removed on purpose stays away: the list remembers how far commits that move spans and frames of
//!   the log have come; if it has lost that, the `.meta` file, which goes first, is missing.
//!
//! Refuses: a commit of which an output is damaged, as long as its inputs are whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use journal::Files;

use crate::error::Error;
use crate::manifest::{
    Contents, Edit, Listed, ManifestReport, decode_meta, meta_path, read_file, segment_dirs,
};
use crate::segment::{FileMeta, Level, SegmentId};

/// A segment of a tenant.
type Name = (String, SegmentId);

/// A commit that was found.
#[derive(Debug)]
struct Commit {
    adds: Vec<Listed>,
    removes: Vec<Name>,
    /// The pins of the traces that it moved.
    pins: Vec<Edit>,
}

/// What lies in the directories of segments.
struct Found<'a> {
    files: &'a dyn Files,
    root: &'a Path,
    paths: BTreeSet<PathBuf>,
    /// By the names of what they add, since every segment of a commit has a copy.
    commits: BTreeMap<Vec<Name>, Commit>,
}

/// Adds to the list what it has lost.
pub(crate) fn adopt_unlisted(
    files: &dyn Files,
    root: &Path,
    contents: &mut Contents,
    report: &mut ManifestReport,
) -> Result<(), Error> {
    let found = Found::read(files, root, report)?;
    if plumbing::planted("store-adopt-nothing") {
        return Ok(());
    }
    // What came later says what became of what came before.
    let (fresh, mut moves): (Vec<&Commit>, Vec<&Commit>) =
        found.commits.values().partition(|commit| commit.is_fresh());
    // Those that the list knows of are done; power cuts bring back files that were removed since.
    moves.retain(|commit| {
        commit.number() > contents.moves || plumbing::planted("store-adopt-what-was-removed")
    });
    moves.sort_by_key(|commit| std::cmp::Reverse(commit.number()));
    let mut removed: BTreeSet<Name> = BTreeSet::new();
    let mut due = Vec::new();
    for commit in moves {
        let is_accounted_for = |listed: &Listed| {
            contents.names(listed.meta.tenant.as_str(), listed.meta.id)
                || removed.contains(&name_of(listed))
                || found.is_sound(listed)
        };
        // Inputs go only when the commit was done: then what is left of its outputs is all there is. As long as they
        // are whole it may not have been, and an output that is missing was never there, or was discarded.
        let was_done = !commit
            .removes
            .iter()
            .all(|name| found.is_whole(contents, name));
        if was_done || commit.adds.iter().all(is_accounted_for) {
            removed.extend(commit.removes.iter().cloned());
            due.push(commit);
        }
    }
    for commit in due.iter().rev() {
        // A list that is there knows better what is pinned. With one that is lost, too much is better than too little.
        if report.rebuilt.is_some() {
            commit
                .pins
                .iter()
                .for_each(|pin| contents.apply(pin.clone()));
        }
        for listed in &commit.adds {
            let is_listed = contents.names(listed.meta.tenant.as_str(), listed.meta.id);
            if !is_listed && !removed.contains(&name_of(listed)) && !found.is_gone(listed) {
                report.adopted.push(listed.meta.id);
                contents.apply(Edit::Add(Box::new(listed.clone())));
            }
        }
    }
    let done = due.iter().map(|commit| commit.number()).max();
    // What can't be read now may hold a commit of any number, which must not count as old at the next start.
    if report.unread.is_empty() || plumbing::planted("store-unread-forgotten") {
        contents.apply(Edit::Moves(done.unwrap_or_default()));
    }
    for (tenant, id) in &removed {
        contents.apply(Edit::Remove {
            tenant: tenant.clone(),
            id: *id,
            why: "merged".to_owned(),
        });
    }
    for listed in fresh.into_iter().flat_map(|commit| &commit.adds) {
        // Frames of a segment below the floor are gone from the log, but then its commit was followed by others, and it
        // was removed on purpose.
        let is_due = !contents.overlaps(&listed.meta)
            && listed.meta.id.first_sequence >= contents.floor
            && !removed.contains(&name_of(listed));
        if is_due && found.is_sound(listed) {
            report.adopted.push(listed.meta.id);
            contents.apply(Edit::Add(Box::new(listed.clone())));
        }
    }
    Ok(())
}

fn name_of(listed: &Listed) -> Name {
    (listed.meta.tenant.as_str().to_owned(), listed.meta.id)
}

impl Commit {
    fn new(edits: Vec<Edit>) -> Self {
        let (mut adds, mut removes, mut pins) = (Vec::new(), Vec::new(), Vec::new());
        for edit in edits {
            match edit {
                Edit::Add(listed) => adds.push(*listed),
                Edit::Remove { tenant, id, .. } => removes.push((tenant, id)),
                Edit::Pin { .. } => pins.push(edit),
                Edit::Floor(_) | Edit::Moves(_) | Edit::Unpin { .. } => {}
            }
        }
        Self {
            adds,
            removes,
            pins,
        }
    }

    fn is_fresh(&self) -> bool {
        let mut levels = self.adds.iter().map(|listed| listed.meta.id.level);
        levels.all(|level| level == Level::Fresh)
    }

    /// Ascends in the order in which commits that move spans were made.
    fn number(&self) -> u32 {
        let numbers = self.adds.iter().map(|listed| listed.meta.id.number);
        numbers.max().unwrap_or_default()
    }
}

impl<'a> Found<'a> {
    fn read(
        files: &'a dyn Files,
        root: &'a Path,
        report: &mut ManifestReport,
    ) -> Result<Self, Error> {
        let (mut paths, mut commits) = (BTreeSet::new(), BTreeMap::new());
        for dir in segment_dirs(files, root)? {
            let path = root.join(&dir);
            let entries = files
                .list(&path)
                .or_else(|_| files.list(&path))
                .map_err(Error::io("list", &path))?;
            for entry in entries {
                let file = path.join(&entry.name);
                paths.insert(file.clone());
                if !entry.name.ends_with(".meta") {
                    continue;
                }
                let Ok(bytes) = read_file(files, &file) else {
                    report.unread.push(file);
                    continue;
                };
                let commit = Commit::new(decode_meta(&bytes));
                let names: Vec<Name> = commit.adds.iter().map(name_of).collect();
                if !names.is_empty() {
                    commits.insert(names, commit);
                }
            }
        }
        Ok(Self {
            files,
            root,
            paths,
            commits,
        })
    }

    /// Tells whether all files of a segment are as they were written. A freeze that is done again writes over the files
    /// of the attempt before, so lengths are not enough.
    fn is_sound(&self, listed: &Listed) -> bool {
        let dir = self.root.join(&listed.dir);
        let is_sound = |file: &FileMeta| {
            let path = dir.join(&file.name);
            self.paths.contains(&path)
                && read_file(self.files, &path)
                    .is_ok_and(|bytes| crc32c::crc32c(&bytes) == file.crc32c)
        };
        listed.meta.files.iter().all(is_sound)
    }

    /// Tells whether a segment is in the list and all its files are there.
    fn is_whole(&self, contents: &Contents, (tenant, id): &Name) -> bool {
        let mut listed = contents.segments.iter();
        let listed = listed
            .find(|listed| listed.meta.id == *id && listed.meta.tenant.as_str() == tenant.as_str());
        listed.is_some_and(|listed| {
            let dir = self.root.join(&listed.dir);
            let mut files = listed.meta.files.iter();
            files.all(|file| self.paths.contains(&dir.join(&file.name)))
        })
    }

    /// Tells whether nothing of a segment is there: it was removed on purpose since.
    fn is_gone(&self, listed: &Listed) -> bool {
        let dir = self.root.join(&listed.dir);
        let mut files = listed.meta.files.iter();
        !self.paths.contains(&meta_path(self.root, listed))
            && !files.any(|file| self.paths.contains(&dir.join(&file.name)))
    }
}
