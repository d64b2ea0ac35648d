//! Bytes posted to a receiver of metrics, over the same HTTP and TLS as requests to the target. Used by room `export`,
//! on a thread of its own. A receiver that refuses or is down is told as data: the caller chooses by kind.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use url::Url;

use super::chain;
use crate::{ClientError, USER_AGENT};

/// Longest wait for a receiver, from the connection to the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of a refusal is told.
const MAX_WORDS: usize = 200;

/// One receiver.
#[derive(Debug)]
pub struct Poster {
    inner: reqwest::Client,
    url: Url,
}

/// Why a receiver did not take what was posted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// It would not take the same bytes the next time.
    #[error("it answers {status}: {words}")]
    Refused { status: u16, words: String },
    /// It may take them later.
    #[error("it answers {status}")]
    Busy { status: u16, wait: Option<Duration> },
    #[error("{0}")]
    Unreached(String),
}

impl Poster {
    /// `headers` go with every post. `insecure` accepts any certificate.
    pub fn new(
        url: Url,
        headers: impl IntoIterator<Item = (String, String)>,
        insecure: bool,
    ) -> Result<Self, ClientError> {
        // Another part of the process may have installed it before: that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut own = HeaderMap::new();
        for (name, value) in headers {
            let wrong = || ClientError::new(format!("{name:?} cannot be a header"));
            let known = name.parse::<HeaderName>().map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            own.insert(known, value);
        }
        let inner = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(own)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .tls_danger_accept_invalid_certs(insecure)
            .build()
            .map_err(|e| ClientError::new(chain(&e)))?;
        Ok(Self { inner, url })
    }

    /// Where it posts to.
    pub fn url(&self) -> &Url {
        &self.url
    }

    pub async fn post(&self, body: Vec<u8>) -> Result<(), PostError> {
        let sent = self.inner.post(self.url.clone()).body(body).send().await;
        let unreached = |error: reqwest::Error| PostError::Unreached(chain(&error.without_url()));
        let response = sent.map_err(unreached)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if status.is_server_error() || status.as_u16() == 429 {
            let seconds = response.headers().get(RETRY_AFTER);
            let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Err(PostError::Busy {
                status: status.as_u16(),
                wait: seconds.map(Duration::from_secs),
            });
        }
        let words = response.text().await.unwrap_or_default();
        let one_line = |c: char| if c.is_control() { ' ' } else { c };
        let words: String = words.chars().take(MAX_WORDS).map(one_line).collect();
        Err(PostError::Refused {
            status: status.as_u16(),
            words: words.trim().to_owned(),
        })
    }
}
