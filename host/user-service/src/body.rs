//! JSON request bodies. Handlers take [`Json`] as their last argument; what is no JSON is a 400, what is JSON of the
//! wrong shape a 422 that names the field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// A request's body, read as `T`.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        if !may_be_json(request.headers()) {
            return Err(Error::MediaType);
        }
        // The gate has read and measured the body already: this only hands it over.
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|e| Error::Malformed(e.to_string()))?;
        parse(&bytes).map(Self)
    }
}

fn may_be_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.to_ascii_lowercase().ends_with("+json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        if !error.is_data() {
            return Error::Malformed(error.to_string());
        }
        // Read again, slower, for the name of the field; only bad requests pay for it.
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(at) if at.path().iter().len() > 0 => {
                Error::invalid(&at.path().to_string(), at.inner().to_string())
            }
            _ => Error::invalid("body", error.to_string()),
        }
    })
}

/// For fields where `null` and absence differ: absent is `None`, `null` is `Some(None)`.
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[allow(dead_code)]
        name: Option<String>,
        #[serde(default, deserialize_with = "nullable")]
        bio: Option<Option<String>>,
    }

    #[test]
    fn syntax_is_malformed_and_shape_is_invalid_at_its_field() {
        for bad in ["", "{", "{'a':1}", "{}x"] {
            assert!(
                matches!(parse::<Sample>(bad.as_bytes()), Err(Error::Malformed(_))),
                "{bad}"
            );
        }
        let Err(Error::Invalid(fields)) = parse::<Sample>(br#"{"name": 5}"#) else {
            panic!("must be refused")
        };
        assert!(fields.contains_key("name"));
        let Err(Error::Invalid(fields)) = parse::<Sample>(b"7") else {
            panic!("must be refused")
        };
        assert!(fields.contains_key("body"));
    }

    #[test]
    fn null_is_not_absence() {
        assert_eq!(parse::<Sample>(b"{}").unwrap().bio, None);
        assert_eq!(parse::<Sample>(br#"{"bio":null}"#).unwrap().bio, Some(None));
        assert_eq!(
            parse::<Sample>(br#"{"bio":"x"}"#).unwrap().bio,
            Some(Some("x".into()))
        );
    }
}
