//! Plays the journey against scripted replies: `./test`.

const std = @import("std");
const testing = std.testing;
const harness = @import("vespeiro/harness.zig");
const vs = @import("vespeiro/vespeiro.zig");

const behavior = &@import("behavior.zig").behavior;

const replies = [_]harness.Reply{
    .{ .route = "POST /api/v1/users", .status = 201 },
    .{
        .route = "POST /api/v1/auth/login",
        .status = 200,
        .body = 
        \\{"data": {"access_token": "a", "expires_in": 900, "user": {"id": "7"}}}
        ,
    },
    .{
        .route = "GET /api/v1/users",
        .status = 200,
        .body = 
        \\{"data": [{"id": "7"}, {"id": "8"}]}
        ,
    },
    .{ .route = "GET /api/v1/users/{userId}/roles", .status = 200 },
    .{ .route = "PUT /api/v1/users/{id}", .status = 200 },
    .{
        .route = "GET /api/v1/users/{id}",
        .status = 200,
        .body = 
        \\{"data": {"name": "Ana Lima"}}
        ,
    },
    .{ .route = "POST /api/v1/auth/logout", .status = 204 },
    .{},
};

test "a newcomer registers, looks around, changes their name and leaves" {
    const played = harness.play(behavior, .{ .replies = &replies });
    try played.ended("completed");
    try testing.expectEqualStrings("POST /api/v1/users", played.route(0));
    try testing.expectEqualStrings("POST /api/v1/auth/login", played.route(1));
    try testing.expectEqualStrings("POST /api/v1/auth/logout", played.route(played.requests().len - 1));
    try testing.expectEqualStrings("user:sim_user_testrun0_0", std.mem.span(played.requests()[0].mark.?));
    try testing.expectEqual(1, played.leftBehind());
    try testing.expectEqual(1, played.checks().len);
    try testing.expect(!played.checks()[0].passed);
}

test "who has an account logs in with it, and gives up when the service is down" {
    const down = [_]harness.Reply{.{ .route = "POST /api/v1/auth/login", .status = 503 }} ++ replies;
    const played = harness.play(behavior, .{ .replies = &down, .ordinal = 1 });
    try played.ended("abandoned");
    try testing.expectEqual(1, played.requests().len);
}

test "a mistake is made when it is asked for" {
    const played = harness.play(behavior, .{ .replies = &replies, .ordinal = 1, .fault = .invalid_data });
    try played.ended("completed");
    var mistakes: usize = 0;
    for (played.requests()) |request| {
        if (request.fault == .none) continue;
        mistakes += 1;
        try testing.expectEqualStrings("PUT /api/v1/users/{id}", std.mem.span(request.route));
    }
    try testing.expectEqual(1, mistakes);
}
