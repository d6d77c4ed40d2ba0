//! A client of a framework, without generated stubs: a path and messages.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::StreamExt as _;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};

/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages as their bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    channel: Channel,
    /// Sent with every call.
    metadata: Vec<(&'static str, String)>,
}

impl Client {
    pub(crate) fn connect(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Self {
            runtime,
            channel,
            metadata: Vec::new(),
        }
    }

    /// The same with headers.
    pub(crate) fn connect_as(address: &str, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            metadata: headers.collect(),
            ..Self::connect(address)
        }
    }

    /// Sends messages and reads all answers.
    pub(crate) fn ask<Q: Message, A: Message + Default>(
        &self,
        path: &'static str,
        messages: &[Q],
    ) -> Result<Vec<A>, tonic::Status> {
        let messages = messages.iter();
        let messages: Vec<Bytes> = messages.map(|one| one.encode_to_vec().into()).collect();
        let asked = async {
            let mut grpc = Grpc::new(self.channel.clone());
            grpc.ready().await.unwrap();
            let mut request = tonic::Request::new(futures_util::stream::iter(messages));
            for (name, value) in &self.metadata {
                request.metadata_mut().append(*name, value.parse().unwrap());
            }
            let answer = grpc.streaming(request, PathAndQuery::from_static(path), Raw);
            let answers: Vec<_> = answer.await?.into_inner().collect().await;
            answers
                .into_iter()
                .map(|answer| Ok(A::decode(answer?).unwrap()))
                .collect()
        };
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, asked).await })
            .unwrap()
    }

    /// A call of one message each way.
    pub(crate) fn one<Q: Message, A: Message + Default>(
        &self,
        path: &'static str,
        message: Q,
    ) -> Result<A, tonic::Status> {
        let mut answers = self.ask(path, &[message])?;
        assert_eq!(answers.len(), 1, "{path}");
        Ok(answers.remove(0))
    }
}
