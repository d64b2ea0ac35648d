//! How long an answer asks to be left alone. Connections of both protocols ask it of 429 and 503.
//!
//! What must stay true: what makes no sense is no wish, and no wish is longer than an hour.

use std::time::{Duration, SystemTime};

/// Longest wait that a target may ask for.
const LONGEST: Duration = Duration::from_secs(3600);

/// What a `Retry-After` of an answer with this status asks for: seconds, or a date. Only 429 and 503 can ask.
pub fn retry_after(status: u16, value: &[u8], now: SystemTime) -> Option<Duration> {
    if status != 429 && status != 503 {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // More digits than fit is long enough.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        // A date that is past: at once.
        date.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: u16, text: &str) -> Option<Duration> {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        retry_after(status, text.as_bytes(), now)
    }

    #[test]
    fn seconds_and_dates() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(asked(429, "3"), seconds(3));
        assert_eq!(asked(503, " 120 "), seconds(120));
        assert_eq!(asked(429, "Sun, 06 Nov 1994 08:50:00 GMT"), seconds(23));
        assert_eq!(asked(429, "Sunday, 06-Nov-94 08:50:00 GMT"), seconds(23));
        assert_eq!(asked(429, "Sun, 06 Nov 1994 08:00:00 GMT"), seconds(0));
        assert_eq!(asked(429, "99999999999999999999999"), seconds(3600));
        assert_eq!(asked(429, "Sat, 06 Nov 2094 08:50:00 GMT"), seconds(3600));
        for nonsense in ["", "soon", "-1", "1.5", "+3"] {
            assert_eq!(asked(429, nonsense), None, "{nonsense}");
        }
        assert_eq!(asked(200, "3"), None);
    }
}
