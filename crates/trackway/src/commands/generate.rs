//! `trackway generate`: makes traces that are the same on every run, and sends them to an OTLP endpoint or a file.
//!
//! Promises
//! - Equal options give equal bytes; `--truth` writes what any correct system must answer about them.
//! - A request that is refused for now (429, 502, 503, 504, no connection) is sent again, after the pause that the
//!   server asks for, until the patience ends; one that is refused for good ends the command.
//! - At most `--connections` requests and a few that wait are held.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use indicatif::{ProgressBar, ProgressStyle};
use plumbing::{Clock, RealClock, RealRandom, Tasks};
use testkit::corpus::{Corpus, CorpusOptions, Profile, Truth};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::cli::{GenerateArgs, ProfileChoice};
use crate::client::Server;
use crate::error::Error;
use crate::otlp_sender::{OtlpSender, Sent};

/// The port of OTLP over HTTP.
const OTLP_HTTP_PORT: u16 = 4318;
const FILE_BUFFER_BYTES: usize = 1 << 20;

/// Generates and sends or writes.
pub(crate) fn run(args: &GenerateArgs, out: &mut dyn Write) -> Result<(), Error> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
    let options = options_of(args, clock.unix_nanos() / 1_000_000_000);
    let start = options.start_unix_seconds;
    let corpus = Corpus::new(options)?;
    let begun = clock.monotonic_nanos();
    let progress = progress_bar(args.spans);
    let (done, to) = match &args.out {
        Some(file) => (
            write_file(corpus, file, &progress)?,
            file.display().to_string(),
        ),
        None => {
            let server =
                Server::parse(&args.to, OTLP_HTTP_PORT, &args.identity).map_err(Error::Usage)?;
            let url = server.url();
            (send_all(corpus, &server, args, &clock, &progress)?, url)
        }
    };
    progress.finish_and_clear();
    if let Some(file) = &args.truth {
        write_truth(&done.truth, file)?;
    }
    let seconds = Duration::from_nanos(clock.monotonic_nanos() - begun).as_secs_f64();
    report(&done, &to, start, seconds, out)
}

/// What was generated, and what became of it.
struct Done {
    truth: Truth,
    sent: Sent,
}

fn options_of(args: &GenerateArgs, now_unix_seconds: u64) -> CorpusOptions {
    let profile = match args.profile {
        ProfileChoice::Kind => Profile::Kind,
        ProfileChoice::Unkind => Profile::Unkind,
    };
    CorpusOptions {
        profile,
        spans: args.spans,
        seed: args.seed,
        start_unix_seconds: args
            .start
            .unwrap_or_else(|| now_unix_seconds.saturating_sub(args.window)),
        window_seconds: args.window,
        batch_spans: args.batch,
    }
}

fn progress_bar(spans: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{bar:40} {human_pos}/{human_len} spans, {per_sec}, {eta} left",
    );
    ProgressBar::new(spans).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn write_file(mut corpus: Corpus, path: &Path, progress: &ProgressBar) -> Result<Done, Error> {
    let failed = |action| {
        move |source| Error::File {
            action,
            path: path.to_owned(),
            source,
        }
    };
    let file = File::create(path).map_err(failed("create"))?;
    let mut file = BufWriter::with_capacity(FILE_BUFFER_BYTES, file);
    let mut sent = Sent::default();
    for request in &mut corpus {
        let length = u32::try_from(request.bytes.len()).map_err(|_| {
            Error::Usage(format!(
                "a request of {} bytes doesn't fit the file; use a smaller --batch",
                request.bytes.len()
            ))
        })?;
        file.write_all(&length.to_le_bytes())
            .map_err(failed("write"))?;
        file.write_all(&request.bytes).map_err(failed("write"))?;
        sent.requests += 1;
        sent.accepted_spans += request.spans as u64;
        progress.inc(request.spans as u64);
    }
    file.flush().map_err(failed("write"))?;
    Ok(Done {
        truth: corpus.into_truth(),
        sent,
    })
}

fn write_truth(truth: &Truth, path: &Path) -> Result<(), Error> {
    let json = serde_json::to_vec(truth).map_err(std::io::Error::other);
    json.and_then(|json| std::fs::write(path, json))
        .map_err(|source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        })
}

type Waiting = Arc<Mutex<mpsc::Receiver<(Bytes, u64)>>>;

fn send_all(
    corpus: Corpus,
    server: &Server,
    args: &GenerateArgs,
    clock: &Arc<dyn Clock>,
    progress: &ProgressBar,
) -> Result<Done, Error> {
    // The generator works on a thread of its own, so that it never delays an answer.
    let (tell_request, requests) = mpsc::channel(usize::from(args.connections));
    let (tell_truth, truth) = oneshot::channel();
    let (rate, pace) = (args.rate, Arc::clone(clock));
    let generator = Tasks::thread("generate", move || {
        // A sender that failed has hung up: nobody wants the truth then.
        let _unwanted_after_failure =
            tell_truth.send(generate(corpus, rate, pace.as_ref(), &tell_request));
    });
    let generator = generator.map_err(|source| Error::Machine {
        action: "start a thread",
        source,
    })?;
    let requests: Waiting = Arc::new(Mutex::new(requests));
    let patience = Duration::from_secs(args.patience);
    let sent = super::wait_for(async {
        let senders = (0..args.connections).map(|_| {
            let random = Arc::new(RealRandom::default());
            let sender = OtlpSender::new(server.clone(), patience, Arc::clone(clock), random);
            send_until_empty(sender, Arc::clone(&requests), progress)
        });
        let all = futures_util::future::try_join_all(senders).await;
        // Closed even when one failed, so that the generator ends.
        requests.lock().await.close();
        all
    });
    let finished = generator.join();
    let sent = sent?.into_iter().fold(Sent::default(), Sent::plus);
    let truth = truth.blocking_recv().ok().flatten().filter(|_| finished);
    let truth = truth
        .ok_or_else(|| Error::Usage("the generator failed; this is a fault of ours".to_owned()))?;
    Ok(Done { truth, sent })
}

fn generate(
    mut corpus: Corpus,
    rate: Option<u64>,
    clock: &dyn Clock,
    tell: &mpsc::Sender<(Bytes, u64)>,
) -> Option<Truth> {
    let begun = clock.monotonic_nanos();
    let mut spans: u64 = 0;
    for request in &mut corpus {
        if let Some(rate) = rate {
            let due = u128::from(spans) * 1_000_000_000 / u128::from(rate);
            let due = u64::try_from(due).unwrap_or(u64::MAX);
            let passed = clock.monotonic_nanos() - begun;
            clock.sleep(Duration::from_nanos(due.saturating_sub(passed)));
        }
        let count = request.spans as u64;
        spans += count;
        // The senders hang up when one has failed: what is left need not be generated.
        tell.blocking_send((Bytes::from(request.bytes), count))
            .ok()?;
    }
    Some(corpus.into_truth())
}

async fn send_until_empty(
    mut sender: OtlpSender,
    requests: Waiting,
    progress: &ProgressBar,
) -> Result<Sent, Error> {
    loop {
        let next = requests.lock().await.recv().await;
        let Some((bytes, spans)) = next else {
            return Ok(sender.sent());
        };
        sender.send(bytes, spans).await?;
        progress.inc(spans);
    }
}

fn report(
    done: &Done,
    to: &str,
    start: u64,
    seconds: f64,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let (truth, sent) = (&done.truth, &done.sent);
    writeln!(
        out,
        "{} spans in {} traces, {} requests, {} bytes, from Unix second {start}: to {to} in {seconds:.1} s",
        truth.spans, truth.traces, truth.requests, truth.bytes
    )?;
    if sent.resends > 0 {
        writeln!(
            out,
            "{} requests were refused for a moment and sent again",
            sent.resends
        )?;
    }
    if sent.rejected_spans > 0 {
        writeln!(
            out,
            "{} spans were rejected: {}",
            sent.rejected_spans,
            crate::terminal::escaped(&sent.rejection)
        )?;
    }
    Ok(())
}
