//! What a behavior and its host tell each other, in no version of the contract. The engine knows these alone; `contract/` makes
//! each version's words of them, and them of those.

use std::borrow::Cow;

use vespeiro_model::{ChannelKind, Failure, FaultKind, GrpcCode};

/// One simulated person; the same in every session of that user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Position of the user in the run, from 0.
    pub index: u32,
    /// Seed of everything this user decides.
    pub seed: u64,
    pub username: String,
    pub email: String,
    pub password: String,
    /// Display name.
    pub name: String,
}

/// What a session is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    Journey,
    /// Remove these marks, oldest first.
    Cleanup(Vec<String>),
    Once(Once),
}

/// What a behavior does once in a run, and not in each session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Once {
    /// Before anybody plays; what it shares its archetype's sessions can have.
    Prepare,
    /// When all have played.
    Teardown,
}

impl Once {
    /// As the contract names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Teardown => "teardown",
        }
    }
}

/// Bounds of a human pause, in milliseconds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub delay_min_ms: u32,
    pub delay_max_ms: u32,
}

/// All that a session is told when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    pub user: User,
    /// How many sessions this user has begun before.
    pub ordinal: u32,
    /// The session's only source of randomness.
    pub seed: u64,
    pub purpose: Purpose,
    pub pace: Pace,
    /// Identifier of the run.
    pub run: String,
    /// The archetype's configuration, a JSON object.
    pub config: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// How many there are.
    pub const COUNT: usize = Self::Options as usize + 1;

    /// As HTTP names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// What a request does for who its user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    Plain,
    /// Asks for a token, or whatever else says who somebody is.
    Login,
    /// Asks for a new token in exchange for another one.
    Refresh,
    Logout,
}

/// One method and path template of a behavior.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// Path template, for instance `/api/v1/users/{id}`.
    pub path: String,
    /// One of the behavior's categories.
    pub category: String,
    /// The plan's name of the target that it is at; `None`: the run's own.
    pub target: Option<String>,
    /// A unary method of gRPC.
    pub grpc: bool,
}

/// What a behavior says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub routes: Vec<Route>,
    /// In the order of [`Context::mix`].
    pub categories: Vec<String>,
    pub once: Vec<Once>,
}

/// What a session is told at each step.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// Since the session began, in milliseconds.
    pub elapsed_ms: u64,
    /// How many more requests its user may send.
    pub requests_left: u32,
    /// By how many percentage points each category lags behind its share; empty where the mix is not governed.
    pub mix: Vec<f32>,
    /// Commit this with the next request that can carry it: one of those that the host does not make itself.
    pub fault: Option<FaultKind>,
}

/// The route that a request counts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteRef {
    /// Its place in [`Description::routes`].
    Described(u16),
    /// A template that the behavior has not described: counted as `other`.
    Undescribed(Box<str>),
}

/// What the session wants to see of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capture {
    pub headers: bool,
    pub body: bool,
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Bytes(Vec<u8>),
    /// A file of the plan, by its name.
    File(String),
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Bytes(Vec<u8>),
    /// One behind the other.
    Pieces(Vec<Piece>),
}

impl Body {
    /// Bytes of it that the session has made.
    pub fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Pieces(pieces) => pieces.iter().map(Piece::size).sum(),
        }
    }

    /// As it is shown: a file stands in it as `(file NAME)`.
    pub fn shown(&self) -> Cow<'_, [u8]> {
        let of = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.clone(),
            Piece::File(name) => format!("(file {name})").into_bytes(),
        };
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Pieces(pieces) => Cow::Owned(pieces.iter().flat_map(of).collect()),
        }
    }

    /// All of it, where it is bytes and no more.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Pieces(_) => None,
        }
    }
}

impl Piece {
    fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(name) => name.len(),
        }
    }
}

/// One HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub kind: RequestKind,
    /// It calls a method of gRPC: its body is the message.
    pub grpc: bool,
    /// Path and query, relative to the target.
    pub path: String,
    pub route: RouteRef,
    /// The place of its category in [`Description::categories`]; `None`: one that is not described, counted as `other`.
    pub category: Option<u16>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
    /// Statuses from 400 on that are no error, or codes of gRPC.
    pub expect: Vec<u16>,
    pub capture: Capture,
    /// Longest wait for the whole response, in milliseconds; `None` means the plan's.
    pub timeout_ms: Option<u32>,
    /// Name of what it creates.
    pub mark: Option<String>,
    /// It is wrong on purpose.
    pub fault: Option<FaultKind>,
}

/// What the target answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case; empty unless captured.
    pub headers: Vec<(String, String)>,
    /// Empty unless captured.
    pub body: Vec<u8>,
    /// From the moment the request was sent to the last byte of the body, in microseconds.
    pub latency_us: u64,
    /// Of a gRPC call.
    pub grpc: Option<Box<GrpcStatus>>,
}

/// How a gRPC call has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcStatus {
    pub code: GrpcCode,
    pub message: String,
    /// Empty unless headers are captured.
    pub trailers: Vec<(String, String)>,
}

/// What one message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(String),
    Binary(Vec<u8>),
    /// Nothing more comes in this direction.
    End,
}

impl Content {
    /// Bytes of it.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::End => 0,
        }
    }
}

/// One thing that a step carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    Request(Request),
    /// Open a channel with a request.
    Open(ChannelKind, Request),
    Send {
        channel: u32,
        content: Content,
    },
    /// Wait for so many messages, and no longer than this.
    Receive {
        channel: u32,
        at_most: u32,
        within_ms: u32,
    },
    Close(u32),
}

impl Operation {
    /// The request that it sends, if it does.
    pub fn request(&self) -> Option<&Request> {
        match self {
            Self::Request(request) | Self::Open(_, request) => Some(request),
            Self::Send { .. } | Self::Receive { .. } | Self::Close(_) => None,
        }
    }
}

/// A channel that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its number in the session.
    pub channel: u32,
    pub status: u16,
    /// Empty unless captured.
    pub headers: Vec<(String, String)>,
    pub latency_us: u64,
}

/// A message that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub content: Content,
    /// Of an event; empty for a plain one.
    pub event: String,
    pub id: String,
    /// Since the session began, in microseconds.
    pub at_us: u64,
}

/// What has come over a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    pub messages: Vec<Message>,
    /// Dropped before them, since nobody took them.
    pub dropped: u32,
}

/// What came of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Response(Response),
    Failed(Failure),
    Opened(Opened),
    Received(Received),
    /// It was sent, or closed.
    Done,
}

/// How a journey came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The person did what they came for.
    Completed,
    /// The person gave up.
    Abandoned,
}

/// What a session wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send these together; none of them is a pause.
    Requests(Vec<Request>),
    /// Carry these out together, which are not all requests.
    Operations(Vec<Operation>),
    Done(Ending),
}

/// A session's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Wait this long before the action, in milliseconds.
    pub delay_ms: u32,
    pub action: Action,
}

/// How much a line of a behavior's log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}
