// The token holder: logs in, keeps an account's token fresh, logs out. Me.Tokens makes one for each account; Me.All asks it
// before each request that names it.

package vespeiro

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A token is renewed when a fifth of its life is left, but no earlier than this before its end.
const marginMs = 30_000

// What the mark of a token begins with; behind it, what logging out takes. The host knows it for a secret.
const tokenMark = "token:"

// Marked tokens that are logged out at a time.
const atOnce = 8

// Tokens of an account.
type Tokens struct {
	me             *Me
	name, password string
	bearer, again  string
	dueMs          float64
	// Whoever cannot log out leaves it to cleanup.
	lasting bool
}

// Tokens of an account, not logged in yet.
func (me *Me) Tokens(name, password string) *Tokens {
	return &Tokens{me: me, name: name, password: password}
}

// Lasting says that the account is none of the run's, such as an administrator's: it outlives the run, and so would its
// tokens. They are marked while they live, and cleanup logs out (Me.LogOutMarked) what a session that was cut could not.
func (tokens *Tokens) Lasting() *Tokens {
	tokens.lasting = tokens.me.session.behavior.Logout != nil
	return tokens
}

// LoggedIn says whether there is a token, valid or not.
func (tokens *Tokens) LoggedIn() bool { return tokens.bearer != "" }

// LogIn gets a token now; the reply is the target's answer.
func (tokens *Tokens) LogIn() *Reply {
	reply, _ := tokens.logIn() // what was had before lives on beside it
	return reply
}

// The reply, and the token that this one takes the place of.
func (tokens *Tokens) logIn() (*Reply, string) {
	behavior := tokens.me.session.behavior
	if behavior.Login == nil {
		tokens.me.Fail("tokens need the behavior's Login route")
	}
	field := behavior.LoginName
	if field == "" {
		field = "email"
	}
	body := map[string]string{field: tokens.name, "password": tokens.password}
	reply := tokens.me.Send(behavior.Login.With().JSON(body)).Expect()
	return reply, tokens.take(reply)
}

// Log in for a token that is worth nothing any more.
func (tokens *Tokens) logInAnew() {
	_, before := tokens.logIn()
	tokens.unmark(before)
}

// LogOut says so to the target and forgets the token; nothing is sent when not logged in.
func (tokens *Tokens) LogOut() {
	bearer, logout := tokens.bearer, tokens.me.session.behavior.Logout
	tokens.Forget()
	if bearer != "" && logout != nil {
		reply := tokens.me.Send(goodbye(logout, bearer))
		if isOut(reply) {
			tokens.unmark(bearer)
		}
		reply.Expect()
	}
}

// Forget the token without a word to the target.
func (tokens *Tokens) Forget() { tokens.bearer, tokens.again = "", "" }

func (tokens *Tokens) isDue() bool {
	return tokens.bearer == "" || float64(tokens.me.ElapsedMs) >= tokens.dueMs
}

func (tokens *Tokens) renew() {
	refresh, token := tokens.me.session.behavior.Refresh, tokens.again
	tokens.again = "" // it rotates: never twice
	if refresh != nil && token != "" {
		reply := tokens.me.Send(refresh.With().JSON(map[string]string{"refresh_token": token}))
		if reply.OK() {
			tokens.unmark(tokens.take(reply))
			return
		}
	}
	tokens.logInAnew()
}

type grant struct {
	Access  string   `json:"access_token"`
	Refresh string   `json:"refresh_token"`
	Life    *float64 `json:"expires_in"`
}

// Hold the token that the reply grants; gives back the one before.
func (tokens *Tokens) take(reply *Reply) string {
	var answer struct {
		grant
		Data *grant `json:"data"`
	}
	had := &answer.grant
	if json.Unmarshal(reply.Body, &answer) == nil && answer.Data != nil {
		had = answer.Data
	}
	if had.Access == "" {
		tokens.me.Log(Warn, reply.call.route.String()+": unexpected body: no `access_token`")
		panic(gaveUp{})
	}
	before := tokens.bearer
	tokens.bearer, tokens.again, tokens.dueMs = "Bearer "+had.Access, had.Refresh, 1e18
	if tokens.lasting {
		tokens.me.Mark(tokenMark + tokens.bearer)
	}
	if had.Life != nil {
		life := *had.Life * 1000
		tokens.dueMs = float64(tokens.me.ElapsedMs) + life - min(life/5, marginMs)
	}
	return before
}

// This token is worth nothing any more, unless it was granted anew: within a second some targets sign the same one.
func (tokens *Tokens) unmark(bearer string) {
	if tokens.lasting && bearer != "" && bearer != tokens.bearer {
		tokens.me.Unmark(tokenMark + bearer)
	}
}

// LogOutMarked is for a cleanup: it logs out the tokens among the marks, which Lasting ones could not, and gives the other
// marks. A token keeps its mark where the target does not let it go.
func (me *Me) LogOutMarked() []string {
	var tokens, others []string
	for _, mark := range me.Marks {
		if strings.HasPrefix(mark, tokenMark) {
			tokens = append(tokens, mark)
		} else {
			others = append(others, mark)
		}
	}
	logout := me.session.behavior.Logout
	if logout == nil {
		return others
	}
	for marks := range slices.Chunk(tokens, atOnce) {
		calls := make([]*Call, len(marks))
		for at, mark := range marks {
			calls[at] = goodbye(logout, strings.TrimPrefix(mark, tokenMark))
		}
		for at, reply := range me.Try(calls...) {
			switch {
			case isOut(reply):
				me.Unmark(marks[at])
			case reply.Failure != NoFailure:
				me.Log(Warn, "cleanup: a token stays: no response")
			case reply.Status == 429: // no news of the token: it is still marked, so it has its turn again
				me.Log(Debug, "cleanup: a token stays: status 429")
			default:
				me.Log(Warn, fmt.Sprintf("cleanup: a token stays: status %d", reply.Status))
			}
		}
	}
	return others
}

// Whether a logout's answer means that the token is worth nothing any more: one that is refused is as good as gone.
func isOut(reply *Reply) bool { return reply.OK() || reply.Status == 401 }

func goodbye(logout *Route, bearer string) *Call {
	return logout.With().Header("authorization", bearer).Capture(Nothing)
}
