//! One request before the run, so that a target that is down is noticed at once and not after a thousand errors.

use http::Method;

use super::client::Client;
use vespeiro_model::Failure;

/// The target does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the target {base} does not answer: {reason}")]
pub struct Unreachable {
    pub base: String,
    pub reason: &'static str,
}

/// Ask the target for `/health`. Any HTTP answer will do: what matters is that something answers.
pub async fn preflight(client: &Client) -> Result<(), Unreachable> {
    let unreachable = |reason| Unreachable {
        base: client.base().as_str().trim_end_matches('/').to_owned(),
        reason,
    };
    let call = client
        .call(Method::GET, "/health", Vec::new(), None)
        .map_err(|_| unreachable("its address cannot be used: check --base-url"))?;
    match client.send(Box::new(call)).await.result {
        Ok(_) | Err(Failure::TooLarge) => Ok(()),
        Err(failure) => Err(unreachable(advice(failure))),
    }
}

fn advice(failure: Failure) -> &'static str {
    match failure {
        Failure::Connect => {
            "the connection was refused or the name is unknown: start the service, or check --base-url"
        }
        Failure::Timeout => "no answer in time: check --base-url, or raise --request-timeout",
        Failure::Tls => "the TLS handshake failed: check the certificate, or use --insecure",
        Failure::Reset => "it closed the connection: check that --base-url names an HTTP service",
        _ => "it does not speak HTTP: check --base-url and --http",
    }
}
