//! gRPC's server reflection: what services there are, and the files that describe them. Both versions of the service
//! have the same messages.
//!
//! The files are those that `cargo xtask codegen` described; a file comes with all that it imports.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use codec::DESCRIPTORS;
use codec::generated::grpc::reflection::v1::server_reflection_request::MessageRequest;
use codec::generated::grpc::reflection::v1::server_reflection_response::MessageResponse;
use codec::generated::grpc::reflection::v1::{
    ErrorResponse, FileDescriptorResponse, ListServiceResponse, ServerReflectionRequest,
    ServerReflectionResponse, ServiceResponse,
};
use codec::wire::{Field, Reader};
use futures_util::{StreamExt as _, stream};
use grpc::code;
use prost::Message as _;

use super::frame::{Incoming, decode};
use super::{Part, Parts, Table};

/// Messages within messages whose names are known.
const NESTED_DEEP_MAX: usize = 16;

/// Answers each request as it comes.
pub(super) fn answer(table: &'static Table, incoming: Incoming) -> Parts {
    let parts = stream::unfold(Some(incoming), move |incoming| async move {
        let mut incoming = incoming?;
        match incoming.next().await {
            Ok(None) => None,
            Ok(Some(message)) => match decode(&message) {
                Ok(request) => {
                    let message = answer_one(table, request).encode_to_vec();
                    Some((Ok(Part::Message(message.into())), Some(incoming)))
                }
                Err(status) => Some((Err(status), None)),
            },
            Err(status) => Some((Err(status), None)),
        }
    });
    parts.boxed()
}

fn answer_one(table: &Table, request: ServerReflectionRequest) -> ServerReflectionResponse {
    let known = &*KNOWN;
    let answer = match &request.message_request {
        Some(MessageRequest::ListServices(_)) => {
            let service = table.services.iter().map(|name| ServiceResponse {
                name: (*name).to_owned(),
            });
            MessageResponse::ListServicesResponse(ListServiceResponse {
                service: service.collect(),
            })
        }
        Some(MessageRequest::FileByFilename(name)) => {
            let index = known.files.iter().position(|file| file.name == name);
            known.describe(index, &format!("there is no file {name:?}"))
        }
        Some(MessageRequest::FileContainingSymbol(symbol)) => {
            let index = known.file_of.get(symbol).copied();
            known.describe(index, &format!("there is no symbol {symbol:?}"))
        }
        Some(MessageRequest::FileContainingExtension(_)) => {
            refusal(code::NOT_FOUND, "there are no extensions")
        }
        Some(MessageRequest::AllExtensionNumbersOfType(_)) => {
            refusal(code::NOT_FOUND, "there are no extensions")
        }
        None => refusal(code::INVALID_ARGUMENT, "the request asks nothing"),
    };
    ServerReflectionResponse {
        valid_host: request.host.clone(),
        original_request: Some(request),
        message_response: Some(answer),
    }
}

fn refusal(error_code: i32, message: &str) -> MessageResponse {
    MessageResponse::ErrorResponse(ErrorResponse {
        error_code,
        error_message: message.to_owned(),
    })
}

/// A file of the descriptors.
#[derive(Debug, Default)]
struct File {
    name: &'static str,
    bytes: &'static [u8],
    imports: Vec<&'static str>,
}

/// All files, and where each name is declared.
#[derive(Debug, Default)]
struct Known {
    files: Vec<File>,
    file_of: HashMap<String, usize>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut known = Known::default();
    for file in messages(DESCRIPTORS, 1) {
        let index = known.files.len();
        let package = text(file, 2);
        for (field, nested) in [(4, true), (5, false), (6, false)] {
            for declared in messages(file, field) {
                known.declare(index, package, declared, nested, 0);
            }
        }
        known.files.push(File {
            name: text(file, 1),
            bytes: file,
            imports: messages(file, 3)
                .filter_map(|name| std::str::from_utf8(name).ok())
                .collect(),
        });
    }
    known
});

impl Known {
    /// Notes the names of a message, an enumeration or a service and of what is declared in it.
    fn declare(
        &mut self,
        index: usize,
        within: &str,
        declared: &'static [u8],
        is_message: bool,
        depth: usize,
    ) {
        let name = format!("{within}.{}", text(declared, 1));
        if is_message && depth < NESTED_DEEP_MAX {
            for nested in messages(declared, 3) {
                self.declare(index, &name, nested, true, depth + 1);
            }
            for nested in messages(declared, 4) {
                self.declare(index, &name, nested, false, depth + 1);
            }
        } else {
            // The methods of a service; the values of an enumeration stand there as well, where nobody looks.
            for member in messages(declared, 2) {
                let member = format!("{name}.{}", text(member, 1));
                self.file_of.insert(member, index);
            }
        }
        self.file_of.insert(name, index);
    }

    /// A file and all that it imports, the file first.
    fn describe(&self, index: Option<usize>, missing: &str) -> MessageResponse {
        let Some(first) = index.and_then(|index| self.files.get(index)) else {
            return refusal(code::NOT_FOUND, missing);
        };
        let mut seen = HashSet::from([first.name]);
        let mut found = vec![first];
        let mut next = 0;
        while let Some(file) = found.get(next).copied() {
            next += 1;
            let imports = file.imports.iter().filter(|name| seen.insert(name));
            let files = imports.filter_map(|name| self.files.iter().find(|f| f.name == *name));
            found.extend(files);
        }
        MessageResponse::FileDescriptorResponse(FileDescriptorResponse {
            file_descriptor_proto: found.iter().map(|file| file.bytes.to_vec()).collect(),
        })
    }
}

/// The contents of all fields of a number that hold bytes.
fn messages(message: &'static [u8], number: u32) -> impl Iterator<Item = &'static [u8]> {
    let mut reader = Reader::new(message);
    let fields = std::iter::from_fn(move || reader.next_field().ok().flatten());
    fields.filter_map(move |field| match field {
        (found, Field::Bytes(bytes)) if found == number => Some(bytes),
        _ => None,
    })
}

fn text(message: &'static [u8], number: u32) -> &'static str {
    let bytes = messages(message, number).next().unwrap_or_default();
    std::str::from_utf8(bytes).unwrap_or_default()
}
