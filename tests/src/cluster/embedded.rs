//! Everything in one pod, with its spans on a volume.

use crate::doctor::Page;
use crate::load::{Truth, seed};
use crate::outages::Persistent;
use crate::wait::{Stopwatch, report};

use super::node::{Namespace, Node, WAITING, Way};

const POD: &str = "pod/jaeger-all-in-one-0";
const SET: &str = "statefulset/jaeger-all-in-one";

/// Deletes the pod while spans are sent, and waits until another one is ready.
fn replace_pod(space: &Namespace<'_>, way_in: &Way, truth: &mut Truth) {
    let senders = Persistent::start_behind(&way_in.address, seed());
    let before = space.word(POD, "{.metadata.uid}");
    let watch = Stopwatch::start();
    space.delete_pods("app.kubernetes.io/component=all-in-one");
    space.until_ready(SET);
    assert_ne!(space.word(POD, "{.metadata.uid}"), before);
    let refused = senders.stop_into(truth);
    report(&format!(
        "a pod that was deleted under load is back after {:.1?}; {} spans, {refused} sent again",
        watch.elapsed(),
        truth.span_count()
    ));
    assert!(truth.span_count() > 0);
}

fn check(truth: &Truth, way_out: &Way) {
    truth.check_at(way_out.connection(), &truth.trace_ids());
}

#[test]
fn spans_outlive_pods_upgrades_and_the_release() {
    let Some(node) = Node::find() else { return };
    let space = node.namespace("one");

    // As it was published before, and then upgraded.
    space.install_previous(&[]).well();
    let (way_in, way_out) = (
        space.way_to("jaeger-collector", 4318),
        space.way_to("jaeger-query", 16686),
    );
    let mut truth = Truth::default();
    replace_pod(&space, &way_in, &mut truth);
    check(&truth, &way_out);
    let debug = ["--set", "settings.log.level=debug"];
    space.upgrade(&[&WAITING[..], &debug].concat()).well();
    replace_pod(&space, &way_in, &mut truth);
    check(&truth, &way_out);
    let tested = space.helm(&["test", "jaeger", "--logs"]).well();
    assert!(
        tested.contains("0 wrong, ") && tested.contains("was found at"),
        "{tested}"
    );

    // An upgrade that never gets ready is rolled back, and another by hand.
    let failed = space.upgrade(&[
        "--atomic",
        "--timeout",
        "15s",
        "--set",
        "image.tag=no-such-tag",
    ]);
    assert!(!failed.is_well, "{}", failed.said);
    space.until_ready(SET);
    check(&truth, &way_out);
    let history = space.helm(&["history", "jaeger"]).well();
    assert!(history.contains("Rollback to 2"), "{history}");
    let back = ["rollback", "jaeger", "1"];
    space.helm(&[&back[..], &WAITING].concat()).well();
    check(&truth, &way_out);

    // The release goes, the volume stays, and another release has its spans.
    space.uninstall();
    let claim = space.word("pvc/data-jaeger-all-in-one-0", "{.status.phase}");
    assert_eq!(claim, "Bound");
    drop((way_in, way_out));
    space.install(&[]).well();
    let way_out = space.port_forward("service/jaeger-query", ":16686");
    check(&truth, &way_out);
    assert!(way_out.get("/").text().contains("<title>"));
    say_of_the_volume(&space);
    check(&truth, &way_out);
}

/// A StatefulSet's claims can't be changed; the page says how it is done, and the pod goes on meanwhile.
fn say_of_the_volume(space: &Namespace<'_>) {
    let larger = ["--set", "allInOne.persistence.size=25Gi"];
    let refused = space.upgrade(&larger);
    assert!(!refused.is_well, "{}", refused.said);
    let words = "updates to statefulset spec for fields other than";
    Page::read().tells("a larger volume", &refused.said, words);
    let before = space.word(POD, "{.metadata.uid}");
    space.kubectl(&["delete", SET, "--cascade=orphan"]).well();
    space.upgrade(&larger).well();
    space.until_ready(SET);
    assert_eq!(space.word(POD, "{.metadata.uid}"), before);
}
