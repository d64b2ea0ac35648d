//! The request builder: from a route to a reply. [`Me::call`] starts it; [`Call::send`] boxes what is left of it, so
//! that a journey waiting for a reply holds two words and not a request.

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use crate::channel::Channel;
use crate::contract::{self, Body, Capture, Failure, Operation, Outcome, Piece, Protocol, Request};
use crate::me::same;
use crate::session::Exchange;
use crate::tokens::Tokens;
use crate::{Code, Error, Fault, Me, Multipart, Reply, Result, Route};

/// Spreads a seed over all bits (Knuth's multiplicative hashing, 64 bits): what is sent does not show it.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A request on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Reply>> + 'a>>;

/// A channel that is being opened.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Channel<'a>>> + 'a>>;

/// A request being built.
#[must_use = "a call does nothing before `send`"]
pub struct Call<'a> {
    me: &'a Me,
    tokens: Option<&'a Tokens>,
    /// Boxed: builders and journeys pass it on as two words, and it is gone once the request is sent.
    draft: Box<Draft>,
}

/// What the request will be. It is written out when it is sent, and kept as it is for when it has to be sent again.
struct Draft {
    route: Route,
    /// The route's place in the behavior's description, and that of a category that it counts for instead of its route's.
    place: usize,
    category: Option<usize>,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Body>,
    /// What a header says of the body.
    content_type: Option<Cow<'static, str>>,
    expect: Vec<u16>,
    capture: Capture,
    timeout_ms: Option<u32>,
    mark: Option<String>,
    fault: Option<Fault>,
    /// How often more it may be sent again, and how long after a failure.
    reloads: u32,
    reload_ms: u32,
    /// What of the template still waits for its arguments.
    rest: &'static str,
    has_query: bool,
    problem: Option<Error>,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Draft { route, path, .. } = &*self.draft;
        f.debug_struct("Call")
            .field("route", route)
            .field("path", path)
            .finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(me: &'a Me, route: Route) -> Call<'a> {
        let behavior = me.core().behavior;
        let place = behavior.place(&route);
        let category = place.and_then(|place| behavior.routes.get(place));
        let category = category.is_some_and(|known| !same(known.category, route.category));
        let mut draft = Box::new(Draft {
            route,
            place: place.unwrap_or_default(),
            category: None,
            path: String::with_capacity(route.path.len() + 40),
            headers: Vec::new(),
            body: None,
            content_type: None,
            expect: Vec::new(),
            capture: Capture::NONE,
            timeout_ms: None,
            mark: None,
            fault: None,
            reloads: 0,
            reload_ms: 0,
            rest: route.path,
            has_query: false,
            problem: None,
        });
        draft.copy_literal();
        if place.is_none() {
            draft.fail("not among the behavior's routes: declare it there".into());
        }
        let call = Call {
            me,
            tokens: None,
            draft,
        };
        match category {
            true => call.category(route.category),
            false => call,
        }
    }

    /// The value of the template's next placeholder, percent-encoded.
    pub fn arg(mut self, value: impl Display) -> Self {
        let draft = &mut *self.draft;
        let end = find(draft.rest, b'}');
        match draft.rest.get(end + 1..) {
            Some(rest) => {
                draft.rest = rest;
                encode(&mut draft.path, value);
                draft.copy_literal();
            }
            None => draft.fail(format!("has no placeholder for `{value}`")),
        }
        self
    }

    /// Send it to this path, which may have a query, instead of the one that the template makes. It goes out as it is, so
    /// it has to be percent-encoded; a link from a reply is. A whole URL is sent to the plan's target that it lies below.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        let draft = &mut *self.draft;
        draft.path = path.into();
        draft.rest = "";
        draft.has_query = draft.path.contains('?');
        self
    }

    /// A query parameter, percent-encoded. Comes after the arguments.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        let draft = &mut *self.draft;
        draft.path.push(if draft.has_query { '&' } else { '?' });
        draft.has_query = true;
        encode(&mut draft.path, name);
        draft.path.push('=');
        encode(&mut draft.path, value);
        self
    }

    /// A query parameter if there is a value.
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.draft.headers.push((name.into(), value.into()));
        self
    }

    /// A JSON body, with its content type.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let mut body = Vec::with_capacity(256);
        match serde_json::to_writer(&mut body, value) {
            Ok(()) => self.draft.body = Some(Body::Bytes(body)),
            Err(error) => self.draft.fail(format!("body: {error}")),
        }
        self.draft.content_type = Some(Cow::Borrowed("application/json"));
        self
    }

    /// The fields of a form as the body, URL-encoded, with its content type.
    pub fn form<'f, V: Display>(mut self, fields: impl IntoIterator<Item = (&'f str, V)>) -> Self {
        let mut body = String::new();
        for (name, value) in fields {
            if !body.is_empty() {
                body.push('&');
            }
            encode(&mut body, name);
            body.push('=');
            encode(&mut body, value);
        }
        self.draft.body = Some(Body::Bytes(body.into_bytes()));
        let form = "application/x-www-form-urlencoded";
        self.draft.content_type = Some(Cow::Borrowed(form));
        self
    }

    /// A multipart form as the body, with its content type: the way to send files of the plan among other fields.
    pub fn multipart(mut self, form: Multipart) -> Self {
        let core = self.me.core();
        let chance = (core.user.seed ^ u64::from(core.ordinal)).wrapping_mul(SPREAD);
        let (body, content_type) = form.finish(chance);
        self.draft.body = Some(body);
        self.draft.content_type = Some(Cow::Owned(content_type));
        self
    }

    /// A body of bytes; its content type is a header of yours.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.draft.body = Some(Body::Bytes(bytes.into()));
        self.draft.content_type = None;
        self
    }

    /// One of the plan's `[files]` as the body, by its name; its content type is a header of yours. The host reads it while it is
    /// sent, and it may be of any size. A session that names one which the plan does not have ends as failed.
    pub fn file(mut self, name: impl Into<String>) -> Self {
        self.draft.body = Some(Body::Pieces(vec![Piece::File(name.into())]));
        self.draft.content_type = None;
        self
    }

    /// The message that a method of gRPC is sent, whose answer is handed back.
    #[cfg(feature = "prost")]
    pub fn message(self, message: &impl prost::Message) -> Self {
        self.body(message.encode_to_vec()).capture_body()
    }

    /// Hand back the response's body.
    pub fn capture_body(self) -> Self {
        self.capture(Capture::BODY)
    }

    /// Hand back the response's headers.
    pub fn capture_headers(self) -> Self {
        self.capture(Capture::HEADERS)
    }

    fn capture(mut self, more: Capture) -> Self {
        let capture = &mut self.draft.capture;
        *capture = capture.and(more);
        self
    }

    /// Count the request for another category than its route's. The behavior has to declare it on some route.
    pub fn category(mut self, category: &str) -> Self {
        let place = self.me.core().behavior.category_place(category);
        if place.is_none() {
            self.draft
                .fail(format!("no route declares the category `{category}`"));
        }
        self.draft.category = place;
        self
    }

    /// Of these statuses, those from 400 on are no error here: the 404 of a search that may find nothing. A response with one of
    /// them counts as a success, and not against the target. At most 16.
    pub fn expect(mut self, statuses: &[u16]) -> Self {
        let errors = statuses.iter().filter(|status| **status >= 400);
        self.draft.expect.extend(errors);
        self
    }

    /// The same of a gRPC call: codes that are no error here.
    pub fn expect_codes(mut self, codes: &[Code]) -> Self {
        let errors = codes.iter().filter(|code| **code != Code::Ok);
        let numbers = errors.map(|code| code.number());
        self.draft.expect.extend(numbers);
        self
    }

    /// The longest wait for the whole response, in milliseconds, instead of the plan's.
    pub fn timeout_ms(mut self, millis: u32) -> Self {
        self.draft.timeout_ms = Some(millis);
        self
    }

    /// Name of what this request creates, `<kind>:<name>`: in the run's journal before the request leaves, so that
    /// cleanup finds the thing even if the reply is lost. Take it back with [`Me::unmark`] once it is removed.
    pub fn mark(mut self, thing: impl Into<String>) -> Self {
        self.draft.mark = Some(thing.into());
        self
    }

    /// The request is wrong on purpose; its failure is not held against the target, nor against a bearer token.
    pub fn fault(mut self, kind: Fault) -> Self {
        self.draft.fault = Some(kind);
        self
    }

    /// Authorize with a bearer token, renewed before it expires; a 401, or UNAUTHENTICATED, logs in again and repeats the request, once.
    pub fn bearer(mut self, tokens: &'a Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Send it again where the target fails, as somebody does who reloads a page: at most so many times, so long after
    /// each failure, while there is no response or one of 500, 502, 503 or 504, or UNAVAILABLE. For what changes nothing, or the same when
    /// it is done twice. A wrong request is never sent again.
    pub fn reload(mut self, times: u32, after_ms: u32) -> Self {
        self.draft.reloads = times;
        self.draft.reload_ms = after_ms;
        self
    }

    /// Open a WebSocket with it, and wait until that is open. The route is a GET.
    ///
    /// # Errors
    /// [`Error::UnexpectedStatus`] when the answer opens none, and those of [`Call::send`]. A token that is refused is not
    /// replaced.
    pub fn websocket(self) -> Opening<'a> {
        self.open(Protocol::Websocket)
    }

    /// Open a stream of events with it, and wait until that is open.
    ///
    /// # Errors
    /// Those of [`Call::websocket`].
    pub fn events(self) -> Opening<'a> {
        self.open(Protocol::EventStream)
    }

    fn open(self, protocol: Protocol) -> Opening<'a> {
        let Call {
            me,
            tokens,
            mut draft,
        } = self;
        Box::pin(async move {
            draft.check()?;
            let route = draft.route.path;
            if let Some(tokens) = tokens
                && tokens.is_due(me)
            {
                tokens.renew(me).await?;
            }
            let request = draft.request(tokens);
            let opening = contract::Opening { protocol, request };
            drop(draft);
            let open = Operation::Open(opening);
            match Exchange::operate(me.core(), open).outcome().await {
                Ok(Outcome::Opened(opened)) => Ok(Channel::new(me, route, opened)),
                Ok(Outcome::Response(response)) => Err(Error::UnexpectedStatus {
                    route,
                    status: response.status,
                }),
                Ok(_) => Err(Error::Failed {
                    route,
                    kind: Failure::Protocol,
                }),
                Err(kind) => Err(Error::Failed { route, kind }),
            }
        })
    }

    /// Send it and wait for the reply, whatever its status.
    ///
    /// # Errors
    /// [`Error::Failed`] when there is no reply, [`Error::Usage`] when the request cannot be built; with a bearer
    /// token also what its renewal met.
    pub fn send(self) -> Sending<'a> {
        let Call { me, tokens, draft } = self;
        match tokens {
            None => Box::pin(send(me, draft)),
            Some(tokens) => Box::pin(send_authorized(me, draft, tokens)),
        }
    }
}

impl Draft {
    /// Moves the template up to its next `{` into the path.
    fn copy_literal(&mut self) {
        let (literal, rest) = self.rest.split_at(find(self.rest, b'{'));
        self.path.push_str(literal);
        self.rest = rest;
    }

    fn fail(&mut self, message: String) {
        self.problem
            .get_or_insert_with(|| Error::usage(format!("{}: {message}", self.route.path)));
    }

    /// Whether it is sent again when it fails.
    fn may_reload(&self) -> bool {
        self.reloads > 0 && self.fault.is_none()
    }

    /// Whether it can be sent.
    fn check(&mut self) -> Result<()> {
        if !self.rest.is_empty() {
            self.fail(format!("lacks an argument for `{}`", self.rest));
        }
        match self.problem.take() {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    /// The request as it stands, authorized or not.
    fn request(&self, tokens: Option<&Tokens>) -> Request {
        let more = usize::from(self.content_type.is_some()) + usize::from(tokens.is_some());
        let mut headers = Vec::with_capacity(self.headers.len() + more);
        headers.extend_from_slice(&self.headers);
        if let Some(content_type) = &self.content_type {
            headers.push(("content-type".into(), content_type.clone().into_owned()));
        }
        if let Some(tokens) = tokens {
            headers.push(("authorization".into(), tokens.bearer()));
        }
        Request {
            // A behavior has at most 512 of each.
            route: self.place as u16,
            path: self.path.clone(),
            category: self.category.map(|place| place as u16),
            headers,
            body: self.body.clone(),
            expect: self.expect.clone(),
            capture: self.capture,
            timeout_ms: self.timeout_ms,
            mark: self.mark.clone(),
            fault: self.fault.map(Into::into),
        }
    }
}

async fn send(me: &Me, mut draft: Box<Draft>) -> Result<Reply> {
    draft.check()?;
    let route = draft.route.path;
    let sent = Exchange::post(me.core(), draft.request(None));
    let again = draft.may_reload().then_some(draft);
    let outcome = answered(route, sent).await;
    match again {
        Some(draft) if is_passing(&outcome) => Box::pin(reload(me, draft, None)).await,
        _ => outcome,
    }
}

async fn send_authorized(me: &Me, mut draft: Box<Draft>, tokens: &Tokens) -> Result<Reply> {
    draft.check()?;
    let route = draft.route.path;
    if tokens.is_due(me) {
        // Boxed, as all that is rare here: a waiting request should hold no more than it needs.
        Box::pin(tokens.renew(me)).await?;
    }
    let generation = tokens.generation();
    let sent = Exchange::post(me.core(), draft.request(Some(tokens)));
    let again = draft.fault.is_none().then_some(draft);
    let outcome = answered(route, sent).await;
    match (again, outcome) {
        (Some(draft), Ok(reply)) if is_unauthenticated(&reply) => {
            drop(reply);
            Box::pin(tokens.replace(me, generation)).await?;
            let sent = Exchange::post(me.core(), draft.request(Some(tokens)));
            answered(route, sent).await
        }
        (Some(draft), outcome) if draft.may_reload() && is_passing(&outcome) => {
            Box::pin(reload(me, draft, Some(tokens))).await
        }
        (_, outcome) => outcome,
    }
}

fn is_unauthenticated(reply: &Reply) -> bool {
    match &reply.grpc {
        Some(grpc) => grpc.code == Code::Unauthenticated,
        None => reply.status == 401,
    }
}

/// Whether it may go better the next time.
fn is_passing(outcome: &Result<Reply>) -> bool {
    match outcome {
        Ok(Reply {
            grpc: Some(grpc), ..
        }) => grpc.code == Code::Unavailable,
        Ok(reply) => matches!(reply.status, 500 | 502 | 503 | 504),
        Err(Error::Failed { kind, .. }) => {
            matches!(
                kind,
                Failure::Timeout
                    | Failure::Connect
                    | Failure::Reset
                    | Failure::Unprocessed
                    | Failure::Generator
            )
        }
        Err(_) => false,
    }
}

/// It has failed once: again, while that may help.
async fn reload(me: &Me, mut draft: Box<Draft>, tokens: Option<&Tokens>) -> Result<Reply> {
    loop {
        draft.reloads -= 1;
        me.wait_ms(draft.reload_ms).await;
        if let Some(tokens) = tokens
            && tokens.is_due(me)
        {
            tokens.renew(me).await?;
        }
        let sent = Exchange::post(me.core(), draft.request(tokens));
        let outcome = answered(draft.route.path, sent).await;
        if !(draft.may_reload() && is_passing(&outcome)) {
            return outcome;
        }
    }
}

async fn answered(route: &'static str, sent: Exchange<'_>) -> Result<Reply> {
    match sent.await {
        Ok(response) => Ok(Reply::new(route, response)),
        Err(kind) => Err(Error::Failed { route, kind }),
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// RFC 3986, section 2.3. A table, for a loop pays for each branch: the engine counts its rounds.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        let it = byte as u8;
        table[byte] = it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

/// Where an ASCII character is in the text; the text's length when it is not there. Eight bytes at a time.
fn find(text: &str, character: u8) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*word) ^ (ONES * u64::from(character));
        // The lowest byte that is 0 has its high bit set here; what is above it may be wrong.
        let equal = differing.wrapping_sub(ONES) & !differing & (ONES << 7);
        if equal != 0 {
            return index * 8 + equal.trailing_zeros() as usize / 8;
        }
    }
    let at = rest.iter().position(|&byte| byte == character);
    words.len() * 8 + at.unwrap_or(rest.len())
}

/// How many of the leading bytes need no escape. Four at a time, as the loop is most of the work.
fn plain(text: &str) -> usize {
    let (words, rest) = text.as_bytes().as_chunks::<4>();
    let is_plain = |byte: &u8| UNRESERVED[usize::from(*byte)];
    let whole = words
        .iter()
        .take_while(|[a, b, c, d]| is_plain(a) & is_plain(b) & is_plain(c) & is_plain(d))
        .count();
    let from = whole * 4;
    let tail = words.get(whole).map_or(rest, |word| &word[..]);
    from + tail.iter().take_while(|byte| is_plain(byte)).count()
}

/// Appends a value with everything but RFC 3986's unreserved characters percent-encoded, as [`Call::arg`] does it.
pub fn encode(path: &mut String, value: impl Display) {
    struct Encoder<'a>(&'a mut String);
    impl Write for Encoder<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            let mut rest = text;
            loop {
                let (unescaped, other) = rest.split_at(plain(rest));
                self.0.push_str(unescaped);
                if other.is_empty() {
                    return Ok(());
                }
                // A character beyond ASCII is as many escapes as it has bytes.
                let width = other.chars().next().map_or(1, char::len_utf8);
                let (character, after) = other.split_at(width);
                for byte in character.bytes() {
                    self.0.push('%');
                    self.0.push(char::from(HEX[usize::from(byte >> 4)]));
                    self.0.push(char::from(HEX[usize::from(byte & 15)]));
                }
                rest = after;
            }
        }
    }
    // Writing to a string cannot fail; a `Display` that does leaves its argument empty.
    let _ = write!(Encoder(path), "{value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_found_wherever_it_is() {
        for length in 0..40 {
            assert_eq!(find(&"z".repeat(length), b'{'), length);
            for at in 0..length {
                // `|` differs from `{` by what a borrow could carry over, and `}` in one bit.
                let mut text = "|z}\u{fb}".repeat(10).chars().collect::<Vec<_>>();
                text.truncate(length);
                text[at] = '{';
                let text: String = text.into_iter().collect();
                assert_eq!(Some(find(&text, b'{')), text.find('{'), "{text}");
            }
        }
    }

    #[test]
    fn values_are_encoded_as_rfc_3986_says_wherever_the_character_is() {
        for length in 0..20 {
            for at in 0..=length {
                let mut text = "a-Z0._~9".repeat(3)[..length].to_owned();
                text.insert_str(at, "é /");
                let mut path = String::new();
                encode(&mut path, &text);
                assert_eq!(path, text.replace("é /", "%C3%A9%20%2F"));
            }
        }
    }
}
