//! The simulated disk itself: what survives a crash, and how failures are planned.

use journal::{Fault, FaultScope, Files, OpenMode, SimFiles, read_to_end, write_file_durably};
use std::io::ErrorKind;
use std::path::Path;

fn path() -> &'static Path {
    Path::new("d/a")
}

/// A disk with one durable, empty file.
fn disk() -> SimFiles {
    let files = SimFiles::new();
    files.write_file(path(), b"");
    files
}

#[test]
fn synced_bytes_survive_and_unsynced_ones_survive_vanish_or_are_torn_by_sector() {
    let (mut whole, mut none, mut torn) = (0, 0, 0);
    for seed in 0..200 {
        let files = disk();
        let file = files.open(path(), OpenMode::ReadWrite).unwrap();
        file.write_all_at(&[&[1; 600], &[1; 936]], 0).unwrap();
        file.sync_data().unwrap();
        file.write_all_at(&[&[2; 1536]], 0).unwrap();
        assert_eq!(read_to_end(file.as_ref()).unwrap(), [2; 1536]);
        let bytes = files.crash(seed).read_file(path()).unwrap();
        assert_eq!(
            bytes,
            files.crash(seed).read_file(path()).unwrap(),
            "the seed decides"
        );
        for sector in bytes.chunks(512) {
            assert!(sector == [1; 512] || sector == [2; 512]);
        }
        match bytes.iter().filter(|byte| **byte == 2).count() {
            0 => none += 1,
            1536 => whole += 1,
            _ => torn += 1,
        }
    }
    assert!(
        whole > 20 && none > 20 && torn > 20,
        "{whole} {none} {torn}"
    );
}

#[test]
fn names_survive_only_with_their_directory_synced_and_in_the_order_of_each_name() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..100 {
        let files = SimFiles::new();
        files.create_dir_all(Path::new("d")).unwrap();
        files
            .open(path(), OpenMode::CreateNew)
            .unwrap()
            .sync_all()
            .unwrap();
        files.rename(path(), Path::new("d/b")).unwrap();
        let names: Vec<String> = files
            .crash(seed)
            .list(Path::new("d"))
            .unwrap()
            .into_iter()
            .map(|e| e.name)
            .collect();
        match names
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            [] => lost += 1,
            ["a" | "b"] => kept += 1,
            other => panic!("{other:?}"),
        }
        files.sync_dir(Path::new("d")).unwrap();
        assert_eq!(
            files.crash(seed).paths(),
            [(Path::new("d/b").to_path_buf(), 0)]
        );
        files.remove(Path::new("d/b")).unwrap();
        assert!(files.crash(seed).paths().len() <= 1);
    }
    assert!(kept > 20 && lost > 20, "{kept} {lost}");
}

#[test]
fn a_file_put_in_place_durably_is_old_or_new_after_any_crash() {
    for nth in 1..8 {
        for seed in 0..30 {
            let files = SimFiles::new();
            files.create_dir_all(Path::new("d")).unwrap();
            write_file_durably(&files, path(), &[1; 1500]).unwrap();
            files.fail_operation(nth, Fault::IO, FaultScope::Forever);
            let done = write_file_durably(&files, path(), &[2; 1500]).is_ok();
            let bytes = files.crash(seed).read_file(path()).unwrap();
            assert!(
                bytes == [2; 1500] || (!done && bytes == [1; 1500]),
                "operation {nth}, seed {seed}"
            );
        }
    }
}

#[test]
fn a_sync_that_succeeds_after_one_that_failed_does_not_bring_the_bytes_back() {
    let lost = (0..64_u8).filter(|round| {
        let files = disk();
        let file = files.open(path(), OpenMode::ReadWrite).unwrap();
        // Syncs before move the disk's own chance on.
        for _ in 0..*round {
            file.write_all_at(&[&[9; 512]], 0).unwrap();
            files.fail_sync(FaultScope::Once);
            assert!(file.sync_data().is_err());
        }
        file.write_all_at(&[&[*round; 512]], 1024).unwrap();
        files.fail_sync(FaultScope::Once);
        assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(5));
        file.sync_data().unwrap();
        files.crash(1).read_file(path()).unwrap().get(1024..) != Some(&[*round; 512])
    });
    assert!(lost.count() > 10);
}

#[test]
fn plans_failures_by_number_and_logs_what_was_done() {
    let files = disk();
    files.fail_operation(2, Fault::Kind(ErrorKind::TimedOut), FaultScope::Once);
    let file = files.open(path(), OpenMode::ReadWrite).unwrap();
    assert_eq!(
        file.write_all_at(&[b"abcd"], 0).unwrap_err().kind(),
        ErrorKind::TimedOut
    );
    assert_eq!(
        files.read_file(path()).unwrap(),
        b"ab",
        "a failed write has written a part"
    );
    file.write_all_at(&[b"abcd"], 0).unwrap();
    files.fail_operation(1, Fault::IO, FaultScope::Forever);
    assert!(file.len().is_err() && file.sync_all().is_err());
    files.clear_faults();
    assert_eq!(file.len().unwrap(), 4);
    assert_eq!(files.operations(), 6);
    assert_eq!(files.operation_log()[1], "write_all_at d/a");
}

#[test]
fn a_bounded_disk_fills_up_and_has_room_again_after_a_removal() {
    let files = disk();
    files.set_capacity(1_000);
    let file = files.open(path(), OpenMode::ReadWrite).unwrap();
    file.write_all_at(&[&[1; 800]], 0).unwrap();
    let full = file.write_all_at(&[&[1; 400]], 700).unwrap_err();
    assert_eq!(
        (full.kind(), file.len().unwrap()),
        (ErrorKind::StorageFull, 1_000)
    );
    file.write_all_at(&[&[2; 1_000]], 0).unwrap();
    assert_eq!(
        file.allocate(1_001).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert_eq!(files.space(Path::new("d")).unwrap().available, 0);
    files.remove(path()).unwrap();
    assert_eq!(files.space(Path::new("d")).unwrap().available, 1_000);
    assert_eq!(
        read_to_end(file.as_ref()).unwrap().len(),
        1_000,
        "an open handle outlives the name"
    );
}

#[test]
fn locks_exclude_each_other_and_vanish_with_a_crash() {
    let files = disk();
    let lock = Path::new("d/LOCK");
    let held = files.lock(lock, "first").unwrap();
    let refused = files.lock(lock, "second").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert!(refused.to_string().contains("first"));
    assert!(files.crash(1).lock(lock, "after the crash").is_ok());
    drop(held);
    assert!(files.lock(lock, "third").is_ok());
}

#[test]
fn refuses_what_a_file_system_refuses() {
    let files = disk();
    assert_eq!(
        files
            .open(Path::new("none/a"), OpenMode::CreateNew)
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        files.open(path(), OpenMode::CreateNew).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        files.list(Path::new("none")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        files.remove_dir(Path::new("d")).unwrap_err().kind(),
        ErrorKind::DirectoryNotEmpty
    );
    let read_only = files.open(path(), OpenMode::Read).unwrap();
    assert_eq!(
        read_only.write_all_at(&[b"x"], 0).unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
}
