//! One request before the run, so that a target that is down is noticed at once and not after a thousand errors.

use http::Method;

use crate::{Failure, Targets};

/// A target does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the target {base} does not answer: {reason}")]
pub struct Unreachable {
    pub base: String,
    pub reason: String,
}

/// Ask each target for `/health`. Any HTTP answer will do: what matters is that something answers.
pub async fn preflight(targets: &Targets) -> Result<(), Unreachable> {
    for (target, (name, base)) in (0..).zip(targets.named()) {
        let unreachable = |reason| {
            let base = base.as_str().trim_end_matches('/');
            let base = match target {
                0 => base.to_owned(),
                _ => format!("{name} ({base})"),
            };
            Unreachable { base, reason }
        };
        let heads = targets.heads();
        let call = heads.call(target, &Method::GET, "/health".into(), Vec::new(), None);
        let call =
            call.map_err(|_| unreachable("its address cannot be used: check --base-url".into()))?;
        match targets.send(&call).await.result {
            Ok(_) => {}
            Err(flaw) if flaw.failure == Failure::TooLarge => {}
            Err(flaw) => {
                // The advice names flags, which the run's own target has.
                let advice = advice(flaw.failure).filter(|_| target == 0);
                return Err(unreachable(match advice {
                    Some(advice) => format!("{}: {advice}", flaw.cause),
                    None => flaw.cause.into(),
                }));
            }
        }
    }
    Ok(())
}

/// What to do, where the cause does not say so itself.
fn advice(failure: Failure) -> Option<&'static str> {
    Some(match failure {
        Failure::Connect => "start the service, or check --base-url",
        Failure::Timeout => "check --base-url, or raise --request-timeout",
        Failure::Reset => {
            "check that --base-url names an HTTP service, or use --no-preflight where it speaks gRPC alone"
        }
        Failure::Headers => "raise --max-headers",
        Failure::Tls => return None,
        Failure::Generator => "this machine is the limit, not the target",
        _ => "check --base-url and --http, or use --no-preflight where it speaks gRPC alone",
    })
}
