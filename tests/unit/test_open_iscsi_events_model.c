/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random histories of several sessions at once, against a reference that takes one session at a
 * time from its beginning to its end and has the rules in the plainest words. The seed of a history
 * that goes wrong is printed.
 */
#include "tests/support/events_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum what {
	CREATE,
	ANSWER,
	FINAL,
	REFUSE,
	ERROR,
	UNBIND,
	LOGOUT,
	DESTROY,
	SEEN_IN,
	SEEN_OUT,
	WHATS
};

struct happening {
	enum what what;
	uint32_t sid;
	uint64_t ns;
	uint8_t a, b;	 /* stage; class and detail */
	uint32_t number; /* error; status number of an answer */
};

#define SIDS	   5
#define HAPPENINGS 120
#define HISTORIES  4000

static struct happening history[HAPPENINGS];

static uint64_t seed;

static uint32_t below(uint32_t limit)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % limit;
}

static void make_history(void)
{
	static const uint32_t errors[] = { 1005, 1011, 1012, 1014, 1015, 1017, 1019, 1020, 1021,
		1022 };
	static const uint64_t steps[] = { 1, 3, 40, 400, 700, 1900, 2100, 16000 };
	uint64_t ns = 1000 * NS_PER_S;

	for (int i = 0; i < HAPPENINGS; i++) {
		struct happening *h = &history[i];

		ns += steps[below(ARRAY_SIZE(steps))] * MS;
		*h = (struct happening){ .what = (enum what)below(WHATS),
			.sid = 1 + below(SIDS),
			.ns = ns,
			.a = (uint8_t)below(2),
			.number = below(4) };
		if (h->what == REFUSE) {
			h->a = (uint8_t)(1 + below(3));
			h->b = (uint8_t)below(6);
		} else if (h->what == ERROR) {
			h->number = errors[below(ARRAY_SIZE(errors))];
		}
	}
}

/* ---- the reference ---- */

struct counts {
	uint64_t login[OISCSI_COUNTS], logouts;
	uint64_t failures, digest, timeouts, format, unmapped;
};

struct story {
	enum { STRANGE, FRESH, IN, OUT, GOING } now;
	bool trying, down_seen, failed, gone;
	int answers;
	uint8_t stage;
	uint32_t number;
	uint64_t answered, closed;
};

static void fail_login(struct story *s, struct counts *c, int column, uint64_t ns)
{
	c->login[0]++;
	if (column)
		c->login[column]++;
	s->trying = false;
	s->closed = ns;
}

static void leave(struct story *s)
{
	if (s->now == IN) {
		s->now = OUT;
		s->down_seen = false;
	}
}

static void tell_answer(struct story *s, struct counts *c, const struct happening *h)
{
	bool carries_on =
		s->answers == 0 || h->number == s->number + 1 || h->ns - s->answered < NS_PER_S;

	if (h->what != REFUSE && s->trying && !carries_on)
		fail_login(s, c, 0, h->ns);
	leave(s);
	s->answers = s->trying ? s->answers + 1 : 1;
	s->trying = true;
	s->stage = h->what == FINAL ? 1 : h->a;
	s->number = h->number;
	s->answered = h->ns;
	if (h->what == FINAL) {
		c->login[1]++;
		s->now = IN;
		s->trying = s->failed = s->gone = false;
		s->closed = h->ns;
	} else if (h->what == REFUSE) {
		bool away = h->a == 2 && (h->b == 3 || h->b == 4);

		fail_login(s, c,
			h->a == 1		 ? 3
			: h->a == 2 && h->b == 1 ? 4
			: h->a == 2 && h->b == 2 ? 7
						 : 2,
			h->ns);
		c->unmapped += away && s->failed && !s->gone;
		s->gone |= away && s->failed;
	}
}

static void tell_error(struct story *s, struct counts *c, const struct happening *h)
{
	uint32_t e = h->number;

	if (s->now == IN) {
		c->failures++;
		c->digest += e == 1014 || e == 1015;
		c->timeouts += e == 1021 || e == 1022;
		c->format += e <= 1010 || e == 1012 || e == 1017;
		leave(s);
		s->failed = true;
		s->trying = false;
		s->closed = h->ns;
	} else if (s->trying ||
		   ((s->now == FRESH || s->now == OUT) && h->ns - s->closed >= NS_PER_S / 2)) {
		fail_login(s, c, 0, h->ns);
	}
}

static void tell_end(struct story *s, struct counts *c, const struct happening *h)
{
	if (s->now == FRESH && s->trying) {
		bool at_once = s->answers > 0 && h->ns - s->answered < 2 * NS_PER_S;

		fail_login(s, c, !at_once ? 0 : s->stage == 0 ? 5 : 6, h->ns);
	}
	leave(s);
	s->now = GOING;
	s->trying = false;
	s->closed = h->ns;
}

static void tell_seen(struct story *s, const struct happening *h)
{
	if (h->what == SEEN_OUT) {
		s->down_seen = true;
		if (s->now == STRANGE) {
			s->now = OUT;
			s->closed = h->ns;
		}
	} else if (s->now == STRANGE || s->now == FRESH || (s->now == OUT && s->down_seen)) {
		s->now = IN;
		s->trying = s->failed = s->gone = false;
		s->closed = h->ns;
	}
}

static void tell(struct story *s, struct counts *c, const struct happening *h)
{
	if (h->what == CREATE)
		*s = (struct story){ .now = FRESH, .trying = true };
	else if (h->what == ANSWER || h->what == FINAL || h->what == REFUSE)
		tell_answer(s, c, h);
	else if (h->what == ERROR)
		tell_error(s, c, h);
	else if (h->what == UNBIND || h->what == DESTROY)
		tell_end(s, c, h);
	else if (h->what == SEEN_IN || h->what == SEEN_OUT)
		tell_seen(s, h);
	if (h->what == LOGOUT) {
		c->logouts++;
		if (s->now != GOING) {
			s->now = OUT;
			s->down_seen = false;
		}
		s->trying = false;
		s->closed = h->ns;
	}
	if (h->what == DESTROY)
		*s = (struct story){ .now = STRANGE };
}

static void reference(struct counts *c)
{
	memset(c, 0, sizeof(*c));
	for (uint32_t sid = 1; sid <= SIDS; sid++) {
		struct story s = { .now = STRANGE };

		for (int i = 0; i < HAPPENINGS; i++) {
			if (history[i].sid == sid)
				tell(&s, c, &history[i]);
		}
	}
}

/* ---- the real one ---- */

static void send_login_response(const struct happening *h)
{
	struct login_response response = { .stat_sn = h->number };
	struct frame frame;

	if (h->what == FINAL) {
		response.flags = 0x87;
	} else if (h->what == REFUSE) {
		response.status_class = h->a;
		response.status_detail = h->b;
	} else {
		response.flags = (uint8_t)(h->a << 2);
	}
	frame = frame_login_response(h->sid, &response);
	assert_true(take(&frame) >= 0);
}

static void let_happen(const struct happening *h)
{
	static const uint32_t types[WHATS] = { [CREATE] = OISCSI_EVENT_CREATED,
		[ERROR] = OISCSI_EVENT_CONNECTION_ERROR,
		[UNBIND] = OISCSI_EVENT_UNBOUND,
		[DESTROY] = OISCSI_EVENT_DESTROYED };
	struct frame frame;

	now_ns = h->ns;
	if (types[h->what]) {
		happens(types[h->what], h->sid, h->number);
	} else if (h->what == LOGOUT) {
		frame = frame_logout_response(h->sid);
		take(&frame);
	} else if (h->what == SEEN_IN || h->what == SEEN_OUT) {
		oiscsi_events_seen(&events, h->sid,
			h->what == SEEN_IN ? OISCSI_LOGGED_IN : OISCSI_FAILED, now_ns);
	} else {
		send_login_response(h);
	}
}

static void check_order(void)
{
	uint64_t failures = 0;

	for (size_t i = 0; i < events.watch_count; i++) {
		assert_true(i == 0 || events.watches[i - 1]->sid < events.watches[i]->sid);
		failures += events.watches[i]->failures;
	}
	assert_true(failures <= events.failures);
}

static void check_counts(uint64_t of_seed)
{
	struct counts wanted, is = { .logouts = node()->logouts,
		.failures = events.failures,
		.digest = events.digest_errors,
		.timeouts = events.timeouts,
		.format = events.format_errors,
		.unmapped = events.unmapped };

	memcpy(is.login, node()->login, sizeof(is.login));
	reference(&wanted);
	if (memcmp(&wanted, &is, sizeof(is)) != 0) {
		for (size_t i = 0; i < sizeof(is) / sizeof(uint64_t); i++)
			print_error("%zu: %llu, should be %llu\n", i,
				(unsigned long long)((uint64_t *)&is)[i],
				(unsigned long long)((uint64_t *)&wanted)[i]);
		fail_msg("history of seed %llu", (unsigned long long)of_seed);
	}
}

static void random_histories(void **state)
{
	uint64_t counted = 0;

	for (uint64_t n = 1; n <= HISTORIES; n++) {
		seed = n;
		events_begin(state);
		make_history();
		for (int i = 0; i < HAPPENINGS; i++) {
			let_happen(&history[i]);
			check_order();
		}
		check_counts(n);
		counted += events.failures + node()->login[OISCSI_COUNT_FAILURES];
		events_end(state);
	}
	/* The histories are not about nothing. */
	assert_true(counted > 20 * HISTORIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
