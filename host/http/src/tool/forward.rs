//! Hands a request on to a service as it came, for the recording of what a person does there.

use std::time::Duration;

use http::{HeaderMap, Method};
use reqwest::redirect::Policy;

use super::chain;

/// Longest wait for a connection, and for a whole answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(120);

/// What came back.
#[derive(Debug)]
pub struct Forwarded {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// There was no answer, or none that could be kept.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotForwarded(String);

/// A client that follows nothing and decodes nothing.
#[derive(Debug, Clone)]
pub struct Forwarder {
    client: reqwest::Client,
}

impl Forwarder {
    /// Needs a tokio runtime when it forwards.
    ///
    /// # Errors
    /// The machine's certificates cannot be read.
    pub fn new() -> Result<Forwarder, NotForwarded> {
        // Another part of the process may have installed it before: that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build()
            .map_err(|error| NotForwarded(chain(&error)))?;
        Ok(Forwarder { client })
    }

    /// Sends a request and reads the answer, of `most` bytes at most.
    ///
    /// # Errors
    /// See [`NotForwarded`].
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
        most: usize,
    ) -> Result<Forwarded, NotForwarded> {
        let failed = |error: reqwest::Error| NotForwarded(chain(&error.without_url()));
        let request = self.client.request(method, url).headers(headers).body(body);
        let mut response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > most {
                let why = format!("its answer has more than {} MiB", most >> 20);
                return Err(NotForwarded(why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Forwarded {
            status,
            headers,
            body,
        })
    }
}
