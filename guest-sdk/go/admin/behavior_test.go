// Plays the journey and the cleanup against scripted replies: `./test`.

package main

import (
	"slices"
	"strings"
	"testing"

	"my-behavior/vespeiro"
)

var config = object{"admin": object{"email": "admin@example.test", "password": "secret"}}

var replies = map[string][]vespeiro.Answer{
	"POST /api/v1/auth/login":               {{Status: 200, Body: object{"data": object{"access_token": "a", "expires_in": 900}}}},
	"GET /api/v1/users":                     {{Status: 200, Body: object{"data": []object{{"id": "7"}, {"id": "8"}}}}},
	"POST /api/v1/users":                    {{Status: 201, Body: object{"data": object{"id": "9"}}}},
	"PUT /api/v1/users/{id}":                {{Status: 200}},
	"GET /api/v1/users/{id}":                {{Status: 200, Body: object{"data": object{"name": "Ana Lima"}}}},
	"GET /api/v1/users/{userId}/roles":      {{Status: 200}},
	"PUT /api/v1/users/{id}/deactivate":     {{Status: 200}},
	"DELETE /api/v1/users/{id}":             {{Status: 204}},
	"GET /api/v1/users/username/{username}": {{Status: 200, Body: object{"data": object{"id": "9"}}}},
	"POST /api/v1/auth/logout":              {{Status: 204}},
}

func TestAnAdministratorAddsEditsAndRemovesAUserAndLeavesNothingBehind(t *testing.T) {
	played := vespeiro.Play(behavior, vespeiro.Script{Replies: replies, Config: config})
	if played.Ending != "completed" || played.Routes()[0] != "POST /api/v1/auth/login" {
		t.Fatal(played.Ending, played.Error, played.Routes())
	}
	if !slices.Equal(played.Unmarks, []string{"user:sim_user_testrun0_0_0", "token:Bearer a"}) || len(played.LeftBehind()) != 0 {
		t.Error(played.Unmarks, played.LeftBehind())
	}
}

func TestCleanupRemovesWhatIsThereAndForgetsWhatIsGone(t *testing.T) {
	gone := func(_, path string) (vespeiro.Answer, bool) {
		return vespeiro.Answer{Status: 404}, strings.HasSuffix(path, "/gone")
	}
	marks := []string{"token:Bearer cut", "user:sim_user_x", "user:gone", "role:x"}
	played := vespeiro.Play(behavior, vespeiro.Script{Replies: replies, Answer: gone, Config: config, Cleanup: marks})
	if played.Ending != "completed" || !slices.Equal(played.Unmarks, append(marks[:3:3], "token:Bearer a")) {
		t.Error(played.Ending, played.Error, played.Unmarks)
	}
}

func TestWithoutAnAccountInTheConfigTheSessionFailsAndSaysWhatToWrite(t *testing.T) {
	played := vespeiro.Play(behavior, vespeiro.Script{Replies: replies})
	if !strings.Contains(played.Error, "`admin` is missing") {
		t.Error(played.Ending, played.Error)
	}
}
