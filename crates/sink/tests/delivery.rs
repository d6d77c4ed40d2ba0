//! What becomes of batches, by what collectors answer.

use std::collections::BTreeSet;
use std::time::Duration;

use model::contract::{SpanWriter as _, WriteError};
use sink::DeliveryOptions;

use crate::double::{Double, Folder, House, Say, USUAL, options, until};

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_joined_and_delivered() {
    let double = Double::start(|_, _| Say::Taken).await;
    let (folder, options) = (Folder::new(), options(&[&double]));
    assert_eq!(options.compression, USUAL);
    let house = House::open(&folder, MIB, &options);
    for name in ["a", "b", "c"] {
        assert_eq!(house.write(&[name, name]).await.unwrap().spans, 2);
    }
    house.deliver();
    until(|| house.metric("sent_spans_total") == 6).await;
    let seen = double.seen();
    assert_eq!(seen.len(), 1, "three batches share a request");
    assert_eq!(seen[0].names, ["a", "a", "b", "b", "c", "c"]);
    assert_eq!(seen[0].headers["grpc-encoding"], "zstd");
    assert_eq!(
        (
            house.metric("waiting_spans"),
            house.metric("waiting_batches")
        ),
        (0, 0)
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_good_is_dropped_alone_and_holds_up_nothing() {
    let is_bad = |names: &[String]| names.iter().any(|name| name == "bad");
    let double = Double::start(move |seen, _| match is_bad(&seen.names) {
        true => Say::Status(3),
        false => Say::Taken,
    })
    .await;
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &options(&[&double]));
    let names = ["a", "b", "bad", "c", "d"];
    for name in names {
        house.write(&[name]).await.unwrap();
    }
    house.deliver();
    until(|| house.metric("waiting_spans") == 0).await;
    house.write(&["e"]).await.unwrap();
    until(|| house.metric("sent_spans_total") == 5).await;
    let dropped = house.metric("dropped_spans_total{reason=\"invalid_argument\"}");
    assert_eq!(dropped, 1);
    let taken = double
        .seen()
        .into_iter()
        .filter(|seen| !is_bad(&seen.names));
    let taken: Vec<String> = taken.flat_map(|seen| seen.names).collect();
    assert_eq!(
        taken.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from(["a", "b", "c", "d", "e"])
    );
    assert_eq!(taken.len(), 5, "each once");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_a_collector_asks_for_is_kept() {
    let double = Double::start(|_, before| match before {
        0 => Say::StatusAfter(14, 1),
        1 => Say::StatusAfter(8, 1),
        _ => Say::Taken,
    })
    .await;
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &options(&[&double]));
    house.deliver();
    house.write(&["a"]).await.unwrap();
    until(|| house.metric("sent_spans_total") == 1).await;
    let seen = double.seen();
    assert_eq!(seen.len(), 3);
    for pair in seen.windows(2) {
        let pause = pair[1].nanos - pair[0].nanos;
        assert!(
            pause >= 990_000_000,
            "{pause} ns, far above agent.retry.pause_max of this test"
        );
    }
    assert_eq!(house.metric("retries_total{reason=\"unavailable\"}"), 1);
    assert_eq!(
        house.metric("retries_total{reason=\"resource_exhausted\"}"),
        1
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_a_proxy_asks_for_is_kept_in_both_its_forms() {
    let double = Double::start(|_, before| {
        // The proxy's clock is years behind ours: only the distance counts.
        let dates = [
            ("date", "Sun, 06 Nov 1994 08:49:36 GMT".to_owned()),
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
        ];
        match before {
            0 => Say::Http(503, vec![("retry-after", "1".to_owned())]),
            1 => Say::Http(429, dates.to_vec()),
            _ => Say::Taken,
        }
    })
    .await;
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &options(&[&double]));
    house.deliver();
    house.write(&["a"]).await.unwrap();
    until(|| house.metric("sent_spans_total") == 1).await;
    let seen = double.seen();
    assert_eq!(seen.len(), 3);
    for pair in seen.windows(2) {
        let pause = pair[1].nanos - pair[0].nanos;
        assert!(
            pause >= 990_000_000,
            "{pause} ns, far above agent.retry.pause_max of this test"
        );
    }
    assert_eq!(house.metric("retries_total{reason=\"unavailable\"}"), 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_is_tried_again_or_given_up_by_the_list() {
    // Each code once, then it is taken: what is given up is never seen again.
    let double = Double::start(|seen, _| {
        let code: i32 = seen.names[0].parse().unwrap();
        Say::Status(code)
    })
    .await;
    let folder = Folder::new();
    let one_by_one = DeliveryOptions {
        request_bytes_max: 1,
        ..options(&[&double])
    };
    let house = House::open(&folder, MIB, &one_by_one);
    for code in [2, 3, 5, 6, 8, 9, 13] {
        house.write(&[&code.to_string()]).await.unwrap();
    }
    house.deliver();
    until(|| house.metric("waiting_spans") == 0).await;
    assert_eq!(double.seen().len(), 7, "each was sent once");
    // A token that ran out is about who asks: the spans are kept.
    house.write(&["16"]).await.unwrap();
    until(|| house.metric("retries_total{reason=\"unauthenticated\"}") >= 2).await;
    assert_eq!(house.metric("waiting_spans"), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_that_a_collector_leaves_out_are_counted() {
    let double = Double::start(|_, _| Say::TakenBut(2)).await;
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &options(&[&double]));
    house.deliver();
    house.write(&["a", "b", "c"]).await.unwrap();
    until(|| house.metric("sent_spans_total") == 1).await;
    assert_eq!(house.metric("rejected_spans_total"), 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_answered_is_still_there_after_a_restart() {
    let folder = Folder::new();
    let silent = Double::start(|seen, _| match seen.names[0].as_str() {
        "first" => Say::Taken,
        _ => Say::Silence,
    })
    .await;
    let house = House::open(&folder, MIB, &options(&[&silent]));
    house.deliver();
    house.write(&["first"]).await.unwrap();
    until(|| house.metric("sent_spans_total") == 1).await;
    house.write(&["second"]).await.unwrap();
    until(|| silent.seen().len() == 2).await;
    house.close().await;
    // Another program on the same folder: what was answered is not sent again, what was not is.
    let double = Double::start(|_, _| Say::Taken).await;
    let house = House::open(&folder, MIB, &options(&[&double]));
    assert_eq!(house.metric("waiting_spans"), 1);
    house.deliver();
    until(|| house.metric("sent_spans_total") == 1).await;
    assert_eq!(double.seen()[0].names, ["second"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collectors_share_the_load_and_one_that_dies_is_left_alone() {
    let (one, two) = (
        Double::start(|_, _| Say::Taken).await,
        Double::start(|_, _| Say::Taken).await,
    );
    let folder = Folder::new();
    let house = House::open(&folder, 4 * MIB, &options(&[&one, &two]));
    house.deliver();
    let mut sent = 0;
    while one.seen().is_empty() || two.seen().is_empty() {
        house.write(&["before"]).await.unwrap();
        sent += 1;
        until(|| house.metric("sent_spans_total") == sent).await;
    }
    one.kill();
    for _ in 0..20 {
        house.write(&["after"]).await.unwrap();
        sent += 1;
        until(|| house.metric("sent_spans_total") == sent).await;
    }
    let after = |double: &Double| {
        let seen = double.seen().into_iter();
        seen.filter(|seen| seen.names[0] == "after").count()
    };
    assert_eq!((after(&one), after(&two)), (0, 20));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_buffer_refuses_for_now_and_has_room_again_once_it_is_delivered() {
    let double = Double::start(|_, _| Say::Taken).await;
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &options(&[&double]));
    let large = "x".repeat(50_000);
    let mut taken = 0;
    let refused = loop {
        match house.write(&[&large]).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100, "it never is full");
    };
    assert!(
        matches!(refused, WriteError::Unavailable { .. }),
        "{refused}"
    );
    assert!(house.sink.readiness().is_err());
    assert!(house.metric("buffer_bytes") <= MIB);
    assert_eq!(house.metric("refused_batches_total{reason=\"full\"}"), 1);
    let too_large = house.write(&[&"x".repeat(2_000_000)]).await.unwrap_err();
    assert!(
        matches!(too_large, WriteError::Failed { .. }),
        "it will never fit"
    );
    house.deliver();
    until(|| house.sink.readiness().is_ok()).await;
    house.write(&[&large]).await.unwrap();
    until(|| house.metric("sent_spans_total") == taken + 1).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_can_not_unpack_is_sent_what_it_can_read() {
    let double = Double::start(|seen, _| match seen.headers.contains_key("grpc-encoding") {
        true => Say::Status(12),
        false => Say::Taken,
    })
    .await;
    let folder = Folder::new();
    let house = House::open(&folder, MIB, &options(&[&double]));
    house.deliver();
    for count in 1..=2 {
        house.write(&["a"]).await.unwrap();
        until(|| house.metric("sent_spans_total") == count).await;
    }
    assert_eq!(double.seen().len(), 3, "it is found out once");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_is_given_a_deadline_and_another_is_asked() {
    let (mute, good) = (
        Double::start(|_, _| Say::Silence).await,
        Double::start(|_, _| Say::Taken).await,
    );
    let folder = Folder::new();
    let soon = DeliveryOptions {
        timeout: Duration::from_millis(100),
        ..options(&[&mute, &good])
    };
    let house = House::open(&folder, MIB, &soon);
    house.deliver();
    let mut sent = 0;
    while mute.seen().is_empty() {
        house.write(&["a"]).await.unwrap();
        sent += 1;
        until(|| house.metric("sent_spans_total") == sent).await;
    }
    assert!(house.metric("retries_total{reason=\"deadline_exceeded\"}") >= 1);
    house.close().await;
}
