//! Filters that are held as long as there is room for them, and else read in their file.

use model::contract::Window;
use model::{Field, Literal, Operator, Place, Predicate};

use super::*;
use crate::segment::FileKind;

const LARGE_CACHE_BYTES: u64 = 8 << 20;
/// A quarter of it is less than the filters of the segment take.
const SMALL_CACHE_BYTES: u64 = 32 << 10;

/// With so many values that filters are stored as they are.
fn written() -> (TempDir, SegmentMeta) {
    let dir = TempDir::new();
    let meta = write(&dir.0, &random_batch(5, 30_000, &[]));
    (dir, meta)
}

fn open_in(cache: &Arc<SegmentCache>, dir: &TempDir, meta: &SegmentMeta) -> Segment {
    let files: Arc<dyn Files> = Arc::new(RealFiles);
    Segment::open(files, &dir.0, meta.clone(), Arc::clone(cache)).unwrap()
}

fn cache(bytes_max: u64) -> Arc<SegmentCache> {
    Arc::new(SegmentCache::new(bytes_max))
}

fn rows(segment: &Segment, text: &str) -> Vec<u32> {
    let key = "id".to_owned();
    let place = Place::Anywhere;
    let (field, text) = (
        Field::Attribute { place, key },
        Literal::Text(text.to_owned()),
    );
    let predicate = Predicate::Compare(field, Operator::Equal, text);
    let found = segment.search(&predicate, Window::ALWAYS, &|| false);
    found.unwrap().rows
}

#[test]
fn what_is_held_of_filters_is_weighed_and_what_is_left_in_the_file_is_not() {
    let (dir, meta) = written();
    let (large, small) = (cache(LARGE_CACHE_BYTES), cache(SMALL_CACHE_BYTES));
    let weight = |cache: &Arc<SegmentCache>, segment: &Segment| {
        segment.directory().unwrap();
        let before = cache.bytes();
        let filters = segment.filters().unwrap();
        assert!(filters.size_bytes() as u64 <= cache.bytes() - before);
        (cache.bytes() - before, filters.is_in_file())
    };
    let held = open_in(&large, &dir, &meta);
    let (bytes, is_in_file) = weight(&large, &held);
    let taken = large.filter_room().taken();
    assert!(!is_in_file && taken > SMALL_CACHE_BYTES / 4);
    assert!(
        (taken..taken + 512).contains(&bytes),
        "{bytes} for {taken} bytes"
    );
    let left = open_in(&small, &dir, &meta);
    let (bytes, is_in_file) = weight(&small, &left);
    assert!(is_in_file && bytes < 1024, "{bytes}");
    assert_eq!(small.filter_room().taken(), 0);
    for text in TEXTS.into_iter().chain(["not there"]) {
        assert_eq!(rows(&left, text), rows(&held, text), "{text}");
    }
}

#[test]
fn room_for_filters_comes_back_when_they_are_evicted_and_when_their_segment_goes() {
    let (dir, meta) = written();
    let one = cache(LARGE_CACHE_BYTES);
    open_in(&one, &dir, &meta).filters().unwrap();
    assert_eq!(one.filter_room().taken(), 0, "the segment is gone");
    let first = open_in(&one, &dir, &meta);
    first.filters().unwrap();
    let bytes = one.filter_room().taken();
    // Room for two, and a cache that two, with what else is read, do not fit into for long.
    let cache = cache(bytes * 10);
    let segments: Vec<Segment> = (0..12).map(|_| open_in(&cache, &dir, &meta)).collect();
    let mut most = 0;
    for round in 0..4 {
        for (at, segment) in segments.iter().enumerate() {
            segment.filters().unwrap();
            segment.resources().unwrap();
            if round > 0 {
                segment.traces().unwrap();
            }
            let taken = cache.filter_room().taken();
            assert!(
                taken <= 2 * bytes && taken.is_multiple_of(bytes),
                "{taken} at {at} in round {round}"
            );
            most = most.max(taken);
        }
    }
    assert_eq!(most, 2 * bytes);
    let held = segments.iter().map(|segment| segment.filters().unwrap());
    let held: Vec<_> = held.filter(|filters| !filters.is_in_file()).collect();
    assert_eq!(cache.filter_room().taken(), held.len() as u64 * bytes);
    drop(segments);
    assert_eq!(cache.filter_room().taken(), held.len() as u64 * bytes);
    drop(held);
    assert_eq!(cache.filter_room().taken(), 0);
}

#[test]
fn a_sidecar_that_is_rebuilt_is_read_in_its_new_file_and_the_old_one_is_let_go() {
    let (dir, meta) = written();
    let cache = cache(SMALL_CACHE_BYTES);
    let segment = open_in(&cache, &dir, &meta);
    let wanted = rows(&segment, "500");
    let old = segment.filters().unwrap();
    let old_file = Arc::downgrade(&segment.file(FileKind::Index).unwrap());
    segment.rebuild_sidecar().unwrap();
    let new = segment.filters().unwrap();
    assert!(new.is_in_file() && !Arc::ptr_eq(&old, &new));
    // Who still has the old one reads on; nobody else does.
    assert!(old.may_have(0, 7).is_ok() && old_file.upgrade().is_some());
    drop(old);
    assert!(old_file.upgrade().is_none());
    assert_eq!(rows(&segment, "500"), wanted);
    let new_file = Arc::downgrade(&segment.file(FileKind::Index).unwrap());
    drop((new, segment));
    assert!(new_file.upgrade().is_none(), "the cache holds it open");
}
