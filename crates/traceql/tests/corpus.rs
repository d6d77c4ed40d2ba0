//! Replays the fuzzer's corpus without a fuzzer.

use std::path::Path;

use crate::checks::check_text;

#[test]
fn the_corpus_of_texts_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/traceql");
    let mut replayed = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is there") {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        check_text(&std::fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 10, "{replayed} inputs in {}", folder.display());
}
