//! The seam over real files: locks, modes, gathering writes, and a journal on a real disk.

use crate::scenario::{Model, STORE};
use journal::{
    Files, Frame, Journal, Level, OpenMode, Options, RealFiles, read_exact_at, read_to_end,
    write_file_durably,
};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own that goes with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "journal-test-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn a_second_lock_is_refused_with_the_holders_note_until_the_first_is_dropped() {
    let place = Place::new();
    let path = place.join("LOCK");
    let held = RealFiles.lock(&path, "pid 4711").unwrap();
    let refused = RealFiles.lock(&path, "pid 4712").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert!(refused.to_string().contains("pid 4711"), "{refused}");
    drop(held);
    let _held = RealFiles.lock(&path, "pid 1").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "pid 1");
}

#[test]
fn opens_as_the_mode_says() {
    let place = Place::new();
    let path = place.join("a");
    for mode in [OpenMode::Read, OpenMode::ReadWrite] {
        let missing = RealFiles.open(&path, mode).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(missing.to_string().contains("journal-test"), "{missing}");
    }
    RealFiles
        .open(&path, OpenMode::CreateNew)
        .unwrap()
        .write_all_at(&[b"abc"], 0)
        .unwrap();
    assert_eq!(
        RealFiles
            .open(&path, OpenMode::CreateNew)
            .unwrap_err()
            .kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        RealFiles
            .open(&path, OpenMode::ReadWrite)
            .unwrap()
            .len()
            .unwrap(),
        3
    );
    assert!(
        RealFiles
            .open(&path, OpenMode::Read)
            .unwrap()
            .write_all_at(&[b"x"], 0)
            .is_err()
    );
    assert!(
        RealFiles
            .open(&path, OpenMode::CreateOrTruncate)
            .unwrap()
            .is_empty()
            .unwrap()
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn writes_thousands_of_parts_and_empty_ones_in_order() {
    let place = Place::new();
    let file = RealFiles
        .open(&place.join("a"), OpenMode::CreateNew)
        .unwrap();
    let bytes: Vec<u8> = (0..5_000_u32).map(|index| index.to_le_bytes()[0]).collect();
    let mut parts: Vec<&[u8]> = vec![&[], &[]];
    parts.extend(bytes.chunks(1).flat_map(|part| [part, &[]]));
    file.write_all_at(&parts, 3).unwrap();
    file.write_all_at(&[&[], &[]], 0).unwrap();
    file.sync_data().unwrap();
    assert_eq!(
        read_to_end(file.as_ref()).unwrap(),
        [&[0; 3], bytes.as_slice()].concat()
    );
    let mut tail = [0; 4];
    assert_eq!(
        read_exact_at(file.as_ref(), &mut tail, 5_000)
            .unwrap_err()
            .kind(),
        ErrorKind::UnexpectedEof
    );
    file.allocate(9_000).unwrap();
    file.allocate(10).unwrap();
    assert_eq!(file.len().unwrap(), 9_000);
    file.set_len(2).unwrap();
    assert_eq!(file.len().unwrap(), 2);
}

#[test]
fn keeps_directories_private_and_lists_them_sorted() {
    let place = Place::new();
    let deep = place.join("data/wal");
    RealFiles.create_dir_all(&deep).unwrap();
    RealFiles.create_dir_all(&deep).unwrap();
    assert_eq!(
        std::fs::metadata(place.join("data"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    for name in ["b", "a"] {
        write_file_durably(&RealFiles, &deep.join(name), name.as_bytes()).unwrap();
    }
    RealFiles.create_dir_all(&deep.join("c")).unwrap();
    let names: Vec<(String, bool, u64)> = RealFiles
        .list(&deep)
        .unwrap()
        .into_iter()
        .map(|entry| (entry.name, entry.is_dir, entry.len))
        .collect();
    assert_eq!(
        names,
        [
            ("a".to_owned(), false, 1),
            ("b".to_owned(), false, 1),
            ("c".to_owned(), true, 0)
        ]
    );
    assert_eq!(
        RealFiles.list(&place.join("none")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    RealFiles.rename(&deep.join("a"), &deep.join("b")).unwrap();
    assert_eq!(std::fs::read(deep.join("b")).unwrap(), b"a");
    RealFiles.remove(&deep.join("b")).unwrap();
    RealFiles.remove_dir(&deep.join("c")).unwrap();
    RealFiles.sync_dir(&deep).unwrap();
    assert_eq!(RealFiles.list(&deep).unwrap(), vec![]);
    let space = RealFiles.space(&deep).unwrap();
    assert!(space.total >= space.available && space.available > 0);
}

fn open(dir: &Path, floor: u64) -> (Journal, Vec<Frame>) {
    let mut frames = Vec::new();
    let options = Options {
        file_bytes: 64 << 10,
        spare_files: 2,
        level: Level::Sync,
    };
    let (journal, report) = Journal::open(
        Arc::new(RealFiles),
        dir,
        STORE,
        options,
        floor,
        &mut |frame| {
            frames.push(frame);
            Ok(())
        },
    )
    .unwrap();
    assert!(report.is_clean(), "{report:?}");
    (journal, frames)
}

#[test]
fn a_journal_on_real_files_comes_back_after_restarts_and_recycling() {
    let place = Place::new();
    let dir = place.join("wal");
    let mut model = Model::default();
    let mut random = SmallRng::seed_from_u64(2);
    for life in 0..4 {
        let (mut journal, frames) = open(&dir, model.floor);
        model.check(&frames, &format!("life {life}"));
        let task = journal
            .spare_task()
            .map(|task| std::thread::spawn(move || task.run()));
        for _ in 0..100 {
            let batch = model.batch(&mut random);
            model.append(&mut journal, batch).unwrap();
        }
        if let Some(task) = task {
            journal.adopt_spare(task.join().unwrap()).unwrap();
        }
        model.floor = journal.next_sequence() - 20;
        journal.release_below(model.floor).unwrap();
        assert!(journal.stats().files <= 3, "{:?}", journal.stats());
    }
}

#[test]
fn a_real_file_cut_at_every_eighth_byte_opens_with_what_lies_before() {
    let place = Place::new();
    let dir = place.join("wal");
    let (mut journal, _) = open(&dir, 0);
    let mut model = Model::default();
    for number in 0..6 {
        model
            .append(
                &mut journal,
                crate::scenario::contents(number..number + 1, 50),
            )
            .unwrap();
    }
    drop(journal);
    let path = RealFiles
        .list(&dir)
        .unwrap()
        .into_iter()
        .find(|entry| entry.name.ends_with(".wal"))
        .unwrap()
        .name;
    let bytes = std::fs::read(dir.join(&path)).unwrap();
    let mut lens = Vec::new();
    for cut in (64..1_000).step_by(8) {
        let cut_dir = place.join("cut");
        std::fs::create_dir_all(&cut_dir).unwrap();
        std::fs::write(cut_dir.join(&path), &bytes[..cut]).unwrap();
        let mut frames = Vec::new();
        let (_, report) = Journal::open(
            Arc::new(RealFiles),
            &cut_dir,
            STORE,
            Options::default(),
            0,
            &mut |frame| {
                frames.push(frame);
                Ok(())
            },
        )
        .unwrap();
        let expected: Vec<Frame> = model
            .acknowledged
            .iter()
            .take(frames.len())
            .map(|(sequence, content)| content.read_back(*sequence))
            .collect();
        assert_eq!(frames, expected);
        assert_eq!(
            report.torn_tail.is_some(),
            frames.len() < 6 || report.torn_tail.is_some()
        );
        lens.push(frames.len());
        std::fs::remove_dir_all(&cut_dir).unwrap();
    }
    lens.dedup();
    assert_eq!(lens, [0, 1, 2, 3, 4, 5, 6]);
}
