//! Trouble on purpose: the fault headers of Envoy's fault filter, and the log-normal service time. The gate asks this
//! room; nothing here happens unless the configuration allows it.

use std::f64::consts::TAU;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What the answer says of itself.
pub const ABORTED: &str = "fault filter abort";
const ABORT: &str = "x-envoy-fault-abort-request";
const ABORT_CALL: &str = "x-envoy-fault-abort-grpc-request";
const DELAY: &str = "x-envoy-fault-delay-request";
const MAX_DELAY: Duration = Duration::from_secs(60);
/// Spread of the service time's logarithm.
const SIGMA: f64 = 0.5;

/// The delay that a request asks for, at most a minute.
pub fn delay(headers: &HeaderMap) -> Option<Duration> {
    let asked = headers.get(DELAY)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_millis(asked).min(MAX_DELAY))
}

/// The answer that a request asks for instead of its own.
pub fn abort(headers: &HeaderMap) -> Option<Response> {
    let code = number(headers, ABORT).filter(|code| (200..=599).contains(code))?;
    let status = StatusCode::from_u16(code).ok()?;
    let bodiless = matches!(code, 204 | 205 | 304);
    let body = axum::Json(json!({ "message": ABORTED }));
    Some(if bodiless {
        status.into_response()
    } else {
        (status, body).into_response()
    })
}

/// The code that a gRPC call asks for instead of its own: of all that there are, but for that of success.
pub fn abort_call(headers: &HeaderMap) -> Option<u16> {
    number(headers, ABORT_CALL).filter(|code| (1..=16).contains(code))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u16> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// One draw of the service time with this median.
pub fn service_time(median: Duration) -> Duration {
    // Box and Muller's normal draw; 1 - u keeps the logarithm away from zero.
    let (u, v): (f64, f64) = (rand::random(), rand::random());
    let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos();
    median.mul_f64((SIGMA * normal).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn delays_are_capped_and_nonsense_is_ignored() {
        assert_eq!(
            delay(&headers(DELAY, "250")),
            Some(Duration::from_millis(250))
        );
        assert_eq!(delay(&headers(DELAY, "99999999")), Some(MAX_DELAY));
        for bad in ["", "-1", "soon", "1.5", "99999999999999999999999"] {
            assert_eq!(delay(&headers(DELAY, bad)), None, "{bad}");
        }
    }

    #[test]
    fn aborts_are_real_final_statuses() {
        for code in [200, 204, 304, 404, 503, 599] {
            assert_eq!(
                abort(&headers(ABORT, &code.to_string()))
                    .unwrap()
                    .status()
                    .as_u16(),
                code
            );
        }
        for bad in ["", "100", "199", "600", "no"] {
            assert!(abort(&headers(ABORT, bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn calls_are_aborted_with_codes_of_grpc() {
        for code in [1, 5, 16] {
            let asked = headers(ABORT_CALL, &code.to_string());
            assert_eq!(abort_call(&asked), Some(code));
        }
        for bad in ["", "0", "17", "-1", "NOT_FOUND"] {
            assert_eq!(abort_call(&headers(ABORT_CALL, bad)), None, "{bad}");
        }
    }

    #[test]
    fn service_times_have_the_median_and_the_spread() {
        let median = Duration::from_millis(100);
        let mut draws: Vec<_> = (0..20_001)
            .map(|_| service_time(median).as_secs_f64())
            .collect();
        draws.sort_by(f64::total_cmp);
        let (middle, one_sigma) = (draws[10_000], draws[16_828]);
        assert!((0.095..0.105).contains(&middle), "median {middle}");
        assert!(
            (0.155..0.175).contains(&one_sigma),
            "84th percentile {one_sigma}, want 0.1 * e^0.5 = 0.165"
        );
    }
}
