//! The searches that are measured. Jaeger's HTTP API wants a service in each, so each has one.
//!
//! Promises: in a corpus of a million spans with seed 7 every search finds something, but the one for an absent value.
//! In a smaller one some find nothing, and the table of figures shows that they do.

use testkit::corpus::{Profile, QUESTION_LIMIT, Question};

/// The search that must find nothing.
pub(crate) const ABSENT_VALUE: &str = "absent attribute";

/// Gives the searches for a corpus, without their answers; the names are those of the figures.
pub(crate) fn questions(profile: Profile) -> Vec<Question> {
    match profile {
        Profile::Kind => kind(),
        Profile::Unkind => unkind(),
    }
}

fn kind() -> Vec<Question> {
    let rare = ("app.user.tier", "platinum-founder");
    vec![
        search("newest 20", "web"),
        tagged(search("errors", "payment"), ("error", "true")),
        tagged(search("rare attribute", "web"), rare),
        tagged(
            search("common attribute", "catalog"),
            ("db.system.name", "postgresql"),
        ),
        tagged(
            search(ABSENT_VALUE, "web"),
            ("app.user.tier", "nobody-has-this"),
        ),
        lasting(search("duration range", "checkout"), 200_000, Some(300_000)),
        of_operation(
            lasting(search("slow operation", "checkout"), 250_000, None),
            "shop.Checkout/PlaceOrder",
        ),
    ]
}

fn unkind() -> Vec<Question> {
    vec![
        search("newest 20", "web"),
        tagged(search("errors", "payment"), ("error", "true")),
        tagged(
            search("rare attribute", "web"),
            ("attr.key.52", "/api/v1/items/777"),
        ),
        tagged(
            search("common attribute", "catalog"),
            ("attr.key.45", "value-7"),
        ),
        tagged(
            search(ABSENT_VALUE, "web"),
            ("attr.key.45", "nobody-has-this"),
        ),
        lasting(search("duration range", "checkout"), 100_000, Some(150_000)),
        of_operation(
            lasting(search("slow operation", "checkout"), 50_000, None),
            "op-5-3",
        ),
    ]
}

fn search(name: &str, service: &str) -> Question {
    Question {
        name: name.to_owned(),
        service: Some(service.to_owned()),
        operation: None,
        tags: Vec::new(),
        min_duration_us: None,
        max_duration_us: None,
        limit: QUESTION_LIMIT,
        newest: Vec::new(),
        total_traces: 0,
    }
}

fn tagged(mut question: Question, (key, text): (&str, &str)) -> Question {
    question.tags.push((key.to_owned(), text.to_owned()));
    question
}

fn lasting(mut question: Question, min_us: u64, max_us: Option<u64>) -> Question {
    question.min_duration_us = Some(min_us);
    question.max_duration_us = max_us;
    question
}

fn of_operation(mut question: Question, name: &str) -> Question {
    question.operation = Some(name.to_owned());
    question
}
