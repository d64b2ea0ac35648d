//! Plays the journey and the cleanup against scripted replies: `./test`.

const std = @import("std");
const testing = std.testing;
const harness = @import("vespeiro/harness.zig");

const behavior = &@import("behavior.zig").behavior;

const config =
    \\{"admin": {"email": "admin@example.test", "password": "secret"}}
;
const replies = [_]harness.Reply{
    .{ .route = "POST /api/v1/auth/login", .status = 200, .body = "{\"data\":{\"access_token\":\"a\",\"expires_in\":900}}" },
    .{ .route = "GET /api/v1/users", .status = 200, .body = "{\"data\":[{\"id\":\"7\"},{\"id\":\"8\"}]}" },
    .{ .route = "POST /api/v1/users", .status = 201, .body = "{\"data\":{\"id\":\"9\"}}" },
    .{ .route = "PUT /api/v1/users/{id}", .status = 200 },
    .{ .route = "GET /api/v1/users/{id}", .status = 200, .body = "{\"data\":{\"name\":\"Ana Lima\"}}" },
    .{ .route = "GET /api/v1/users/{userId}/roles", .status = 200 },
    .{ .route = "PUT /api/v1/users/{id}/deactivate", .status = 200 },
    .{ .route = "DELETE /api/v1/users/{id}", .status = 204 },
    .{ .route = "GET /api/v1/users/username/{username}", .status = 404, .ends = "gone" },
    .{ .route = "GET /api/v1/users/username/{username}", .status = 200, .body = "{\"data\":{\"id\":\"9\"}}", .ends = "sim_user_x" },
    .{ .route = "POST /api/v1/auth/logout", .status = 204 },
    .{},
};

test "an administrator adds, edits and removes a user, and leaves nothing behind" {
    const played = harness.play(behavior, .{ .replies = &replies, .config = config });
    try played.ended("completed");
    try testing.expectEqualStrings("POST /api/v1/auth/login", played.route(0));
    try testing.expectEqualStrings("POST /api/v1/auth/logout", played.route(played.requests().len - 1));
    try testing.expect(played.wasUnmarked("user:sim_user_testrun0_0_0"));
    try testing.expect(played.wasUnmarked("token:Bearer a"));
    try testing.expectEqual(0, played.leftBehind());
}

test "cleanup removes what is there and forgets what is gone" {
    const marks = [_]?[*:0]const u8{ "user:sim_user_x", "user:gone", "role:x", "token:Bearer cut", null };
    const played = harness.play(behavior, .{ .replies = &replies, .config = config, .cleanup = &marks });
    try played.ended("completed");
    try testing.expect(played.wasUnmarked("user:sim_user_x"));
    try testing.expect(played.wasUnmarked("user:gone"));
    try testing.expect(played.wasUnmarked("token:Bearer cut"));
    try testing.expect(played.wasUnmarked("token:Bearer a"));
    try testing.expectEqual(4, played.unmark_count);
}

test "without an account in the config the session fails, and says what to write" {
    const played = harness.play(behavior, .{ .replies = &replies });
    try testing.expect(std.mem.find(u8, played.failure(), "`admin` is missing") != null);
}
