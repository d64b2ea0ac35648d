//! One request before the run, so that a target that is down is noticed at once and not after a thousand errors.

use http::Method;

use crate::{Failure, Target};

/// The target does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the target {base} does not answer: {reason}")]
pub struct Unreachable {
    pub base: String,
    pub reason: String,
}

/// Ask the target for `/health`. Any HTTP answer will do: what matters is that something answers.
pub async fn preflight(target: &Target) -> Result<(), Unreachable> {
    let unreachable = |reason| Unreachable {
        base: target.base().as_str().trim_end_matches('/').to_owned(),
        reason,
    };
    let call = target
        .heads()
        .call(&Method::GET, "/health".into(), Vec::new(), None)
        .map_err(|_| unreachable("its address cannot be used: check --base-url".into()))?;
    match target.send(&call).await.result {
        Ok(_) => Ok(()),
        Err(flaw) if flaw.failure == Failure::TooLarge => Ok(()),
        Err(flaw) => Err(unreachable(match advice(flaw.failure) {
            Some(advice) => format!("{}: {advice}", flaw.cause),
            None => flaw.cause.into(),
        })),
    }
}

/// What to do, where the cause does not say so itself.
fn advice(failure: Failure) -> Option<&'static str> {
    Some(match failure {
        Failure::Connect => "start the service, or check --base-url",
        Failure::Timeout => "check --base-url, or raise --request-timeout",
        Failure::Reset => "check that --base-url names an HTTP service",
        Failure::Headers => "raise --max-headers",
        Failure::Tls => return None,
        Failure::Generator => "this machine is the limit, not the target",
        _ => "check --base-url and --http",
    })
}
