//! Decodes a corpus file again and again and prints the CPU time a million spans cost.
//!
//! `cargo run --profile ci -p codec --example decode_corpus -- FILE [ROUNDS] [proto|encode|json|hash]`. The file holds
//! records: a little-endian `u32` length and an `ExportTraceServiceRequest` of that many bytes.

#![allow(clippy::print_stdout, reason = "a tool that people run in a terminal")]

use std::error::Error;
use std::hint::black_box;

/// CPU time of this thread: what others do on the machine doesn't count.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which corpus file?")?;
    let rounds: u32 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let what = arguments.next().unwrap_or_else(|| "proto".to_owned());
    let bytes = std::fs::read(path)?;
    let mut records = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length))?;
        let (record, tail) = tail
            .split_at_checked(length)
            .ok_or("the last record is cut off")?;
        records.push(record);
        rest = tail;
    }
    let mut spans = 0u64;
    let batches = records
        .iter()
        .map(|record| codec::otlp::decode_proto(record))
        .collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<String> = match what.as_str() {
        "json" => batches
            .iter()
            .map(|decoded| codec::otlp::encode_json(&decoded.batch))
            .collect(),
        _ => Vec::new(),
    };
    let started = cpu_seconds()?;
    for _ in 0..rounds {
        for (index, record) in records.iter().enumerate() {
            let Some(decoded) = batches.get(index) else {
                continue;
            };
            spans += decoded.batch.len() as u64;
            match what.as_str() {
                "proto" => drop(black_box(codec::otlp::decode_proto(record)?)),
                "encode" => drop(black_box(codec::otlp::encode_proto(&decoded.batch))),
                "json" => drop(black_box(codec::otlp::decode_json(
                    texts.get(index).map_or(&[], |t| t.as_bytes()),
                )?)),
                "hash" => {
                    let mut buf = Vec::new();
                    for row in 0..decoded.batch.len() {
                        black_box(decoded.batch.span_hash_with(row, &mut buf));
                    }
                }
                other => return Err(format!("unknown step \"{other}\"").into()),
            }
        }
    }
    let seconds = cpu_seconds()? - started;
    #[allow(clippy::cast_precision_loss, reason = "a count to be shown")]
    let per_million = seconds * 1e6 / spans as f64;
    let batch_bytes: usize = batches
        .iter()
        .map(|decoded| decoded.batch.size_bytes())
        .sum();
    println!(
        "{what}: {spans} spans in {seconds:.3} CPU s: {per_million:.3} s per million; batches hold {batch_bytes} bytes"
    );
    Ok(())
}
