//! One request to a run's control endpoint, for the commands that steer a run from outside. Not for the target: nothing
//! here is measured.

use std::net::SocketAddr;
use std::time::Duration;

use super::chain;

/// Longest wait for the endpoint to take the connection.
const CONNECT: Duration = Duration::from_secs(5);
/// A large module takes its time to compile.
const ANSWER: Duration = Duration::from_secs(180);

/// The endpoint did not answer.
#[derive(Debug, thiserror::Error)]
#[error(
    "no run answers at {address}: {why}: start one with --control {address}, or name where it listens"
)]
pub struct NoAnswer {
    address: SocketAddr,
    why: String,
}

/// Post to `path`, which may hold a query. Status and text of the answer.
pub async fn ask(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
    body: Vec<u8>,
) -> Result<(u16, String), NoAnswer> {
    // Another part of the process may have installed it before: that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asked = async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build()?;
        let mut request = client.post(format!("http://{address}{path}")).body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    };
    asked.await.map_err(|error: reqwest::Error| NoAnswer {
        address,
        why: chain(&error.without_url()),
    })
}
