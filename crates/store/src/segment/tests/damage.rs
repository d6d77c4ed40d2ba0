//! Flipped bits, cut files, files of others: errors, never wrong answers, never panics.

use model::contract::Window;
use model::{Field, Literal, Operator, Place, Predicate};

use super::*;
use crate::segment::open::RollupOf;
use crate::segment::{FileKind, SegmentError, SegmentErrorKind};

/// Everything that is asked of a segment here, as text.
fn answers(segment: &Segment) -> Result<Vec<String>, SegmentError> {
    let traces = segment.traces()?;
    let mut answers = vec![format!("{:?}", traces.iter().collect::<Vec<_>>())];
    for entry in traces.iter() {
        let batch = segment.read_trace(&entry)?;
        answers.push(format!(
            "{:?}",
            (0..batch.len())
                .map(|row| batch.span_hash(row))
                .collect::<Vec<_>>()
        ));
    }
    answers.push(format!(
        "{:?}{:?}",
        segment.catalogue()?,
        segment.patterns()?
    ));
    for of in RollupOf::ALL {
        answers.push(format!("{:?}", segment.rollup(of)?));
    }
    let attribute = |key: &str| Field::Attribute {
        place: Place::Anywhere,
        key: key.to_owned(),
    };
    let predicates = [
        Predicate::Compare(
            attribute("n"),
            Operator::Equal,
            Literal::Text("500".to_owned()),
        ),
        Predicate::Compare(
            attribute("http.method"),
            Operator::Equal,
            Literal::String("shop".to_owned()),
        ),
        Predicate::Compare(
            Field::Name,
            Operator::Equal,
            Literal::String("GET /cart".to_owned()),
        ),
        Predicate::Compare(Field::Duration, Operator::Greater, Literal::Int(2_000_000)),
        Predicate::Exists(attribute("flag")),
    ];
    for predicate in predicates {
        let window = Window {
            start: 0,
            end: 1_700_000_000_700_000_000,
        };
        answers.push(format!(
            "{:?}",
            segment.search(&predicate, window, &|| false)?.rows
        ));
    }
    Ok(answers)
}

fn answers_in(dir: &Path, meta: &SegmentMeta) -> Result<Vec<String>, SegmentError> {
    answers(&open(dir, meta.clone()))
}

#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing() {
    let batch = random_batch(21, 60, &[Oddity::Fields]);
    let dir = TempDir::new();
    let meta = write(&dir.0, &batch);
    let wanted = answers_in(&dir.0, &meta).unwrap();
    let mut noticed = 0;
    let mut tried = 0;
    for about in &meta.files {
        let path = dir.0.join(&about.name);
        let clean = std::fs::read(&path).unwrap();
        let step = (clean.len() * 8 / 260).max(1);
        for bit in (0..clean.len() * 8).step_by(step) {
            let mut bytes = clean.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bytes).unwrap();
            match answers_in(&dir.0, &meta) {
                Ok(answers) => assert_eq!(answers, wanted, "{} bit {bit}", about.name),
                Err(error) => {
                    assert_eq!(
                        error.kind(),
                        SegmentErrorKind::Corrupt,
                        "{} bit {bit}: {error}",
                        about.name
                    );
                    noticed += 1;
                }
            }
            tried += 1;
            if tried % 16 == 0 {
                assert!(
                    !open(&dir.0, meta.clone()).verify().unwrap().is_empty(),
                    "{} bit {bit}",
                    about.name
                );
            }
        }
        std::fs::write(&path, &clean).unwrap();
    }
    assert!(tried >= 500, "{tried}");
    // What is never read by these questions: magic numbers, padding, columns that no row needs.
    assert!(noticed * 10 > tried * 9, "{noticed} of {tried}");
    assert_eq!(open(&dir.0, meta).verify().unwrap(), []);
}

#[test]
fn cut_and_missing_files_are_damage() {
    let dir = TempDir::new();
    let meta = write(&dir.0, &random_batch(22, 60, &[]));
    for about in &meta.files {
        let path = dir.0.join(&about.name);
        let clean = std::fs::read(&path).unwrap();
        for length in [0, 1, 8, 31, clean.len() / 2, clean.len() - 1] {
            std::fs::write(&path, &clean[..length]).unwrap();
            let error = answers_in(&dir.0, &meta).unwrap_err();
            assert_eq!(
                error.kind(),
                SegmentErrorKind::Corrupt,
                "{} of {length} bytes: {error}",
                about.name
            );
            assert!(!open(&dir.0, meta.clone()).verify().unwrap().is_empty());
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            answers_in(&dir.0, &meta).unwrap_err().kind(),
            SegmentErrorKind::Corrupt
        );
        std::fs::write(&path, &clean).unwrap();
    }
}

#[test]
fn files_of_another_segment_or_tenant_are_not_believed() {
    let (dir, other) = (TempDir::new(), TempDir::new());
    let meta = write(&dir.0, &random_batch(23, 60, &[]));
    let stranger = TenantId::parse("stranger").unwrap();
    let theirs = write_segment(
        &RealFiles,
        &other.0,
        ID,
        &stranger,
        &random_batch(23, 60, &[]),
    )
    .unwrap();
    for about in &theirs.files {
        let path = dir.0.join(&about.name);
        let clean = std::fs::read(&path).unwrap();
        std::fs::copy(other.0.join(&about.name), &path).unwrap();
        let segment = open(&dir.0, meta.clone());
        assert!(!segment.verify().unwrap().is_empty(), "{}", about.name);
        // A manifest that was made from the strangers' files would still name the wrong tenant.
        if about.kind != FileKind::Index {
            let mut mixed = meta.clone();
            mixed.files = theirs.files.clone();
            assert!(answers_in(&dir.0, &mixed).is_err(), "{}", about.name);
        }
        std::fs::write(&path, &clean).unwrap();
    }
}
