//! The contract's words as Rust types: the same on wasm32, where the generated bindings use them directly, and
//! natively, where the harness does. Every field mirrors `wit/0.2/behavior.wit`, which documents them; a drift between
//! the two does not compile for wasm32.

/// One simulated person; the same in every session of that user.
#[derive(Debug, Clone)]
pub struct User {
    /// Position of the user in the run, from 0.
    pub index: u32,
    /// Seed of everything this user decides.
    pub seed: u64,
    /// Login name, marked as simulated and unique to the run.
    pub username: String,
    /// Address in the reserved domain `simulation.test`.
    pub email: String,
    /// Password to register and log in with. Never log it.
    pub password: String,
    /// Display name.
    pub name: String,
}

/// What a session is for.
#[derive(Debug, Clone)]
pub enum Purpose {
    /// Play one journey, as a person would.
    Journey,
    /// Remove what earlier sessions left behind: their marks, oldest first.
    Cleanup(Vec<String>),
    /// Prepare the run, before anybody plays.
    Prepare,
    /// Tear down, when all have played.
    Teardown,
}

/// What a behavior does once in a run, and not in each session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Once(u8);

impl Once {
    /// It prepares the run.
    pub const PREPARE: Once = Once(1);
    /// It tears down.
    pub const TEARDOWN: Once = Once(2);

    /// Both this and that.
    #[must_use]
    pub const fn and(self, other: Once) -> Once {
        Once(self.0 | other.0)
    }

    /// The flags as the contract numbers them.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// Bounds of a human pause, in milliseconds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Shortest pause in milliseconds.
    pub delay_min_ms: u32,
    /// Longest pause in milliseconds.
    pub delay_max_ms: u32,
}

/// All that a session is told when it begins.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Who plays.
    pub user: User,
    /// How many sessions this user has begun before.
    pub ordinal: u32,
    /// Seed of this session: its only source of randomness.
    pub seed: u64,
    /// Journey or cleanup.
    pub purpose: Purpose,
    /// Bounds of the pauses.
    pub pace: Pace,
    /// Identifier of the run: 8 lower-case letters and digits.
    pub run: String,
    /// The archetype's configuration, a JSON object.
    pub config: String,
}

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // the names say it
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

/// What to hand back of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capture(u8);

impl Capture {
    /// Nothing but the status.
    pub const NONE: Capture = Capture(0);
    /// The headers.
    pub const HEADERS: Capture = Capture(1);
    /// The body's bytes.
    pub const BODY: Capture = Capture(2);

    /// Both this and that.
    #[must_use]
    pub const fn and(self, other: Capture) -> Capture {
        Capture(self.0 | other.0)
    }

    /// Whether everything in `other` is in this.
    #[must_use]
    pub const fn contains(self, other: Capture) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags as the contract numbers them.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// A wrong request, committed on purpose, as the contract has it; journeys see [`crate::Fault`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A wrong password or an invalid token: 401.
    BadCredentials,
    /// No permission: 403.
    Forbidden,
    /// A body that breaks a rule: 422 or 400.
    InvalidData,
    /// A resource that does not exist: 404.
    NotFound,
    /// A burst into the rate limit: 429.
    RateLimit,
    /// One that this SDK has no word for.
    Other(String),
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes of the journey's.
    Bytes(Vec<u8>),
    /// One of the plan's `[files]`, by its name.
    File(String),
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Bytes of the journey's.
    Bytes(Vec<u8>),
    /// Pieces, one behind the other.
    Pieces(Vec<Piece>),
}

/// One HTTP request, relative to the target of its route.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its route, by its place in the description.
    pub route: u16,
    /// Path and query, percent-encoded, starting with `/`; or a URL below one of the plan's targets.
    pub path: String,
    /// Count it for this category of the description, instead of its route's.
    pub category: Option<u16>,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body; `None` sends none.
    pub body: Option<Body>,
    /// Statuses from 400 to 599 that are no error here.
    pub expect: Vec<u16>,
    /// What to hand back of the response.
    pub capture: Capture,
    /// Longest wait for the whole response, in milliseconds; `None` means the plan's.
    pub timeout_ms: Option<u32>,
    /// Name of what this request creates, `<kind>:<name>`.
    pub mark: Option<String>,
    /// Set when the request is wrong on purpose.
    pub fault: Option<Fault>,
}

/// How a gRPC call has ended; behaviors have it as [`crate::Status`].
#[derive(Debug, Clone)]
pub struct GrpcStatus {
    /// From 0 to 16.
    pub code: u32,
    /// The target's words.
    pub message: String,
    /// Metadata that came with it; empty unless headers are captured.
    pub trailers: Vec<(String, String)>,
}

/// What the target answered.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Header names in lower case, and values; empty unless captured.
    pub headers: Vec<(String, String)>,
    /// The body's bytes; empty unless captured.
    pub body: Vec<u8>,
    /// From the send to the last byte of the body, in microseconds.
    pub latency_us: u64,
    /// Of a gRPC call.
    pub grpc: Option<GrpcStatus>,
}

/// Why a request has no response.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No complete response within the request's time.
    Timeout,
    /// The connection could not be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The connection broke before the response was complete.
    Reset,
    /// The peer did not speak HTTP.
    Protocol,
    /// The body was larger than the plan allows.
    TooLarge,
    /// A redirect that the host was to follow, and did not.
    Redirects,
    /// The target said that it had not processed the request.
    Unprocessed,
    /// A channel broke, or a message of it was larger than the plan allows.
    Channel,
    /// The load generator was the limit, and not the target.
    Generator,
    /// Not sent: the circuit breaker is open.
    CircuitOpen,
    /// Not sent: the run is stopping or the user's budget is spent.
    Stopped,
    /// One that this SDK has no word for, by the host's.
    Other(String),
}

impl Failure {
    /// The contract's word for it, for instance `circuit-open`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Failure::Timeout => "timeout",
            Failure::Connect => "connect",
            Failure::Tls => "tls",
            Failure::Reset => "reset",
            Failure::Protocol => "protocol",
            Failure::TooLarge => "too-large",
            Failure::Redirects => "redirects",
            Failure::Unprocessed => "unprocessed",
            Failure::Channel => "channel",
            Failure::Generator => "generator",
            Failure::CircuitOpen => "circuit-open",
            Failure::Stopped => "stopped",
            Failure::Other(word) => word,
        }
    }
}

/// What is spoken over a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// Messages in both directions.
    Websocket,
    /// Events from the target.
    EventStream,
}

/// Open a channel with a request.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What is spoken over it.
    pub protocol: Protocol,
    /// The request, which counts as any other does.
    pub request: Request,
}

/// What one message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Nothing, and nothing more comes in this direction.
    End,
}

/// Send a message over a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Number of the channel.
    pub channel: u32,
    /// What it carries.
    pub content: Content,
}

/// Take what has come over a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiving {
    /// Number of the channel.
    pub channel: u32,
    /// Most messages, from 1 to 256.
    pub at_most: u32,
    /// How long to wait for them, in milliseconds.
    pub within_ms: u32,
}

/// One thing that a step carries out.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Send a request.
    Request(Request),
    /// Open a channel.
    Open(Opening),
    /// Send over a channel.
    Send(Sending),
    /// Take what has come over a channel.
    Receive(Receiving),
    /// Close a channel.
    Close(u32),
}

/// A channel that is open.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its number, in this session.
    pub channel: u32,
    /// HTTP status code.
    pub status: u16,
    /// Header names in lower case, and values; empty unless captured.
    pub headers: Vec<(String, String)>,
    /// From the send until it was open, in microseconds.
    pub latency_us: u64,
}

/// A message that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it carries.
    pub content: Content,
    /// Name of an event; empty for a plain one.
    pub event: String,
    /// Of an event: the last id that the stream has said.
    pub id: String,
    /// When it was complete, since the session began, in microseconds.
    pub at_us: u64,
}

/// What has come over a channel.
#[derive(Debug, Clone)]
pub struct Received {
    /// Oldest first; the last one may be the end.
    pub messages: Vec<Message>,
    /// Dropped before them, since nobody took them in time.
    pub dropped: u32,
}

/// What came of one operation.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The target answered.
    Response(Response),
    /// It did not.
    Failed(Failure),
    /// A channel is open.
    Opened(Opened),
    /// What has come over one.
    Received(Received),
    /// It was sent, or closed.
    Done,
}

/// What the host tells a session at each step.
#[derive(Debug, Clone)]
pub struct Context {
    /// Since the session began, in milliseconds.
    pub elapsed_ms: u64,
    /// How many more requests this user may send.
    pub requests_left: u32,
    /// Wanted share less achieved share of each category, in percentage points; empty when not governed.
    pub mix: Vec<f32>,
    /// Commit this fault with the next request that can carry it.
    pub fault: Option<Fault>,
}

/// How a journey came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ending {
    /// The person did what they came for.
    Completed,
    /// The person gave up.
    Abandoned,
}

/// What a session wants next.
#[derive(Debug, Clone)]
pub enum Action {
    /// Send these together; an empty list is a pause.
    Requests(Vec<Request>),
    /// The session is over.
    Done(Ending),
    /// Carry these out together, which are not all requests.
    Operations(Vec<Operation>),
}

/// A session's answer.
#[derive(Debug, Clone)]
pub struct Step {
    /// Wait this long before the action, in milliseconds; at most [`MAX_DELAY_MS`].
    pub delay_ms: u32,
    /// What to do then.
    pub action: Action,
}

/// Longest notes of a user, in bytes.
pub const MAX_NOTES: usize = 4096;

/// The longest delay of one step, in milliseconds: an hour.
pub const MAX_DELAY_MS: u32 = 3_600_000;

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// What the requests of a route do for who their user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// They ask for a token, a cookie, or whatever else says who somebody is.
    Login,
    /// They ask for a new token in exchange for another one.
    Refresh,
    /// They give back what a login has given.
    Logout,
}

/// One route as `describe` tells it; behaviors declare theirs as [`crate::Route`].
#[derive(Debug, Clone)]
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path template.
    pub path: String,
    /// Category of its requests.
    pub category: String,
    /// What its requests are for.
    pub kind: Kind,
    /// The plan's name of the target that it is at; `None`: the run's own.
    pub target: Option<String>,
    /// A unary method of gRPC.
    pub grpc: bool,
}

impl From<&crate::Route> for Route {
    fn from(route: &crate::Route) -> Route {
        Route {
            method: route.method,
            path: route.path.into(),
            category: route.category.into(),
            kind: route.kind,
            target: route.target.map(Into::into),
            grpc: route.grpc,
        }
    }
}

/// What a behavior says of itself.
#[derive(Debug, Clone)]
pub struct Description {
    /// Short name.
    pub name: String,
    /// Semantic version of the behavior.
    pub version: String,
    /// Every route that it may use.
    pub routes: Vec<Route>,
    /// Every category, in the order of `context.mix`.
    pub categories: Vec<String>,
    /// What it does once in a run.
    pub once: Once,
}
