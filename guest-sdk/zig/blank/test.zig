//! Plays the journey, whatever it asks for: `./test`.

const std = @import("std");
const testing = std.testing;
const harness = @import("vespeiro/harness.zig");

const behavior = &@import("behavior.zig").behavior;

/// What the journey reads in a body stands before the first: `.{ .route = "GET /items", .status = 200, .body = "{}" }`.
const replies = [_]harness.Reply{ .{ .route = "*", .status = 200, .body = "{}" }, .{} };
const down = [_]harness.Reply{ .{ .route = "*", .status = 503 }, .{} };

test "the journey comes to its end, and its checks hold" {
    for ([_]u32{ 0, 1 }) |ordinal| {
        const played = harness.play(behavior, .{ .replies = &replies, .ordinal = ordinal });
        try played.ended("completed");
        try testing.expect(played.requests().len > 0);
        for (played.checks()) |check| try testing.expect(check.passed);
    }
}

test "a service that fails is no mistake of the journey" {
    const played = harness.play(behavior, .{ .replies = &down });
    try testing.expectEqualStrings("", played.failure());
}
