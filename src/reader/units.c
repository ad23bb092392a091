/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader/unit_list.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memfd.h"
#include "source/source.h"

#include <sys/mman.h>

struct source_units {
	const char *name;
	struct unit_list list;
	uint64_t rounds; /* polls completed */
	bool overflow_logged;
	bool lost;		     /* of this poll a unit: there was no memory for it */
	bool failed;		     /* the last poll */
	struct source_status status; /* shown while there is no unit */
};

struct units {
	uint64_t stale_max_ns;
	struct source_units *sources;
	int source_count;
	bool changed;
	bool unseen; /* of any unit, or while none is read, of any source */
};

struct units *units_new(uint64_t stale_max_ns)
{
	struct units *u = calloc(1, sizeof(*u));

	if (u)
		u->stale_max_ns = stale_max_ns;
	return u;
}

void unit_fragment_free(struct unit_fragment *f)
{
	if (!f->data)
		return;
	if (f->is_sealed)
		close(f->memfd);
	free((void *)(uintptr_t)f->data);
	*f = (struct unit_fragment){ .data = NULL };
}

void units_free(struct units *u)
{
	if (!u)
		return;
	for (int i = 0; i < u->source_count; i++)
		unit_list_clear(&u->sources[i].list);
	free(u->sources);
	free(u);
}

void units_set_stale_max(struct units *u, uint64_t stale_max_ns)
{
	u->stale_max_ns = stale_max_ns;
}

int units_add_source(struct units *u, const char *name)
{
	struct source_units *sources =
		reallocarray(u->sources, (size_t)u->source_count + 1, sizeof(*sources));
	struct source_units *s;

	if (!sources)
		return -ENOMEM;
	u->sources = sources;
	s = &sources[u->source_count];
	*s = (struct source_units){ .name = name };
	snprintf(s->status.source, sizeof(s->status.source), "%s", name);
	s->status.state = SOURCE_STARTING;
	return u->source_count++;
}

static bool is_selected(const struct source_ops *source, const struct source_ops *const selected[])
{
	for (size_t i = 0; selected[i]; i++) {
		if (selected[i] == source)
			return true;
	}
	return false;
}

int units_add_disabled(struct units *u, const struct source_ops *const selected[])
{
	for (size_t i = 0; source_list[i]; i++) {
		int rc;

		if (is_selected(source_list[i], selected))
			continue;
		rc = units_add_source(u, source_list[i]->name);
		if (rc < 0)
			return rc;
		u->sources[rc].status.state = SOURCE_DISABLED;
	}
	return 0;
}

/* "source tgt /var/run/tgtd/socket.0", or "source open-iscsi" where there is one unit without a
 * name. */
static const char *unit_label(const struct source_status *status, char out[192])
{
	snprintf(out, 192, "source %s%s%s", status->source, status->unit[0] ? " " : "",
		status->unit);
	return out;
}

/* The unit of that name, made when there is none. */
static int find_unit(struct units *u, int source, const char *name, struct unit **ret)
{
	struct source_units *s = &u->sources[source];
	int rc;

	*ret = unit_list_find(&s->list, name);
	if (*ret)
		return 0;
	rc = unit_list_add(&s->list, &s->status, name, ret);
	if (rc == 0)
		(*ret)->from_start = s->rounds == 0;
	if (rc == -ENOSPC && !s->overflow_logged) {
		log_warning("source %s: more than %u units, leaving out %s and others", s->name,
			UNITS_MAX, name);
		s->overflow_logged = true;
	}
	s->lost = s->lost || rc == -ENOMEM;
	return rc;
}

static void take_note(struct source_status *status, const char *note)
{
	char label[192];

	if (strcmp(status->note, note) == 0)
		return;
	if (*note)
		log_notice("%s: %s", unit_label(status, label), note);
	else
		log_notice("%s: no longer so: %s", unit_label(status, label), status->note);
	snprintf(status->note, sizeof(status->note), "%s", note);
}

static void count_good(struct units *u, int source, struct unit *unit, uint64_t serial,
	uint64_t wall_ns, uint64_t cpu_ns)
{
	unit->serial = serial;
	/* What one shows that could not be read before may be as old as the rest. */
	unit->first = u->sources[source].rounds == 0 || (unit->from_start && !unit->read);
	unit->read = true;
	unit->status.state = SOURCE_OK;
	unit->status.last_good_ns = clock_now_ns();
	unit->status.polls++;
	unit->status.wall_ns = wall_ns;
	unit->status.cpu_ns = cpu_ns;
}

int units_good(struct units *u, int source, const char *unit_name, uint64_t serial,
	struct unit_fragment fragment, const char *note, uint64_t wall_ns, uint64_t cpu_ns)
{
	struct unit *unit;
	char label[192];
	int rc = find_unit(u, source, unit_name, &unit);

	if (rc < 0) {
		unit_fragment_free(&fragment);
		return rc;
	}
	if (unit->status.state == SOURCE_STARTING)
		log_info("%s: found", unit_label(&unit->status, label));
	else if (unit->status.state != SOURCE_OK)
		log_notice("%s: read again", unit_label(&unit->status, label));
	take_note(&unit->status, note);
	unit_fragment_free(&unit->fragment);
	unit->fragment = fragment;
	count_good(u, source, unit, serial, wall_ns, cpu_ns);
	u->changed = true;
	return 0;
}

bool units_is_same(
	const struct units *u, int source, const char *unit_name, const void *data, size_t length)
{
	const struct unit *unit = unit_list_find(&u->sources[source].list, unit_name);
	const void *before;
	bool same;

	/* Of one that was not read well in between, the change is to be told. */
	if (!unit || unit->status.state != SOURCE_OK || !unit->fragment.is_sealed ||
		unit->fragment.data->length != length ||
		memfd_map(unit->fragment.memfd, length, &before) < 0)
		return false;
	same = memcmp(before, data, length) == 0;
	munmap((void *)(uintptr_t)before, length);
	return same;
}

int units_same(struct units *u, int source, const char *unit_name, uint64_t serial,
	const char *note, uint64_t wall_ns, uint64_t cpu_ns)
{
	struct unit *unit = unit_list_find(&u->sources[source].list, unit_name);

	if (!unit)
		return -ENOENT;
	if (unit->unseen || strcmp(unit->status.note, note) != 0)
		u->changed = true;
	take_note(&unit->status, note);
	count_good(u, source, unit, serial, wall_ns, cpu_ns);
	unit->unseen = u->unseen = true;
	return 0;
}

static void fail_unit(struct units *u, struct unit *unit, int error, const char *message)
{
	struct source_status *status = &unit->status;
	char label[192];

	status->polls++;
	status->failures++;
	status->last_error = error;
	snprintf(status->message, sizeof(status->message), "%s", message);
	if (status->state == SOURCE_OK)
		log_warning("%s: %s (%s); its rows stay as they were for %llu s",
			unit_label(status, label), message, strerror(-error),
			(unsigned long long)(u->stale_max_ns / NS_PER_S));
	else if (status->state == SOURCE_STARTING || status->state == SOURCE_ABSENT)
		log_warning("%s: %s (%s); it has no rows yet", unit_label(status, label), message,
			strerror(-error));
	if (status->state != SOURCE_FAILING && status->state != SOURCE_STALE) {
		status->state = SOURCE_FAILING;
		u->changed = true;
	}
}

int units_failed(struct units *u, int source, const char *unit_name, uint64_t serial, int error,
	const char *message)
{
	struct unit *unit;
	int rc = find_unit(u, source, unit_name, &unit);

	if (rc < 0)
		return rc;
	unit->serial = serial;
	fail_unit(u, unit, error, message);
	return 0;
}

/*
 * A completed poll did not name the unit. Of a stale one was told that it is: for one round its row
 * says that it is not there any more, so that a snapshot has it. Others are gone with their rows.
 */
static void miss_unit(struct units *u, struct source_units *s, uint32_t position)
{
	struct source_status *status = &s->list.units[position]->status;
	char label[192];

	log_notice("%s: gone, and its rows with it", unit_label(status, label));
	u->changed = true;
	if (status->state == SOURCE_STALE) {
		status->state = SOURCE_ABSENT;
		status->polls++;
	} else {
		unit_list_remove(&s->list, position, &s->status);
	}
}

/*
 * What the last good poll has found stays for as long as rows would: that there is no such stack,
 * too. A reader that fails says nothing of a host that is well without it.
 */
static bool is_absent_still(const struct units *u, const struct source_status *status)
{
	return status->state == SOURCE_ABSENT &&
	       clock_now_ns() < status->last_good_ns + u->stale_max_ns;
}

static bool is_any_read(const struct units *u)
{
	for (int i = 0; i < u->source_count; i++) {
		for (uint32_t k = 0; k < u->sources[i].list.count; k++) {
			if (u->sources[i].list.units[k]->status.state == SOURCE_OK)
				return true;
		}
	}
	return false;
}

void units_done(
	struct units *u, int source, uint64_t serial, bool present, int error, const char *message)
{
	struct source_units *s = &u->sources[source];
	enum source_state before = s->status.state;
	char label[192];

	/* A poll that has lost a unit is none that says what there is. */
	if (s->lost && error == 0) {
		error = -ENOMEM;
		message = "no memory for a unit of it";
	}
	s->lost = false;
	for (uint32_t i = s->list.count; i-- > 0;) {
		if (s->list.units[i]->serial == serial)
			continue;
		if (s->list.units[i]->status.state == SOURCE_ABSENT) {
			unit_list_remove(&s->list, i, &s->status);
			u->changed = true;
		} else if (error < 0) {
			fail_unit(u, s->list.units[i], error, message);
		} else {
			miss_unit(u, s, i);
		}
	}
	s->status.polls++;
	if (error < 0) {
		s->status.failures++;
		s->status.last_error = error;
		snprintf(s->status.message, sizeof(s->status.message), "%s", message);
		if (!is_absent_still(u, &s->status))
			s->status.state = SOURCE_FAILING;
		if (!s->failed && s->list.count == 0)
			log_warning("%s: %s (%s); it has no rows", unit_label(&s->status, label),
				message, strerror(-error));
	} else {
		s->rounds++;
		s->status.last_good_ns = clock_now_ns();
		s->status.state = present ? SOURCE_OK : SOURCE_ABSENT;
	}
	s->failed = error < 0;
	/* The polls of a unit that is read make snapshots, which show those of the others, too. */
	u->unseen = u->unseen || !is_any_read(u);
	if (s->status.state != before)
		u->changed = true;
}

void units_restarted(struct units *u, int source)
{
	struct source_units *s = &u->sources[source];

	s->status.restarts++;
	for (uint32_t i = 0; i < s->list.count; i++)
		s->list.units[i]->status.restarts = s->status.restarts;
}

static uint64_t expiry_of(const struct units *u, const struct unit *unit)
{
	if (unit->status.state != SOURCE_FAILING || !unit->fragment.data)
		return UINT64_MAX;
	return unit->status.last_good_ns + u->stale_max_ns;
}

bool units_expire(struct units *u)
{
	uint64_t now = clock_now_ns();
	bool expired = false;
	char label[192];

	for (int i = 0; i < u->source_count; i++) {
		for (uint32_t k = 0; k < u->sources[i].list.count; k++) {
			struct unit *unit = u->sources[i].list.units[k];

			if (expiry_of(u, unit) > now)
				continue;
			unit_fragment_free(&unit->fragment);
			unit->status.state = SOURCE_STALE;
			log_warning("%s: not read for %llu s, its rows are gone until it answers",
				unit_label(&unit->status, label),
				(unsigned long long)(u->stale_max_ns / NS_PER_S));
			expired = u->changed = true;
		}
	}
	return expired;
}

uint64_t units_next_expiry(const struct units *u)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < u->source_count; i++) {
		for (uint32_t k = 0; k < u->sources[i].list.count; k++) {
			uint64_t at = expiry_of(u, u->sources[i].list.units[k]);

			if (at < next)
				next = at;
		}
	}
	return next;
}

bool units_take_changed(struct units *u, bool settled)
{
	if (!u->changed && !(u->unseen && settled))
		return false;
	for (int i = 0; i < u->source_count; i++) {
		for (uint32_t k = 0; k < u->sources[i].list.count; k++)
			u->sources[i].list.units[k]->unseen = false;
	}
	u->changed = u->unseen = false;
	return true;
}

int units_inputs(struct units *u, bool known_before, struct snapshot_input **ret)
{
	size_t count = 0, n = 0;
	struct snapshot_input *inputs;

	for (int i = 0; i < u->source_count; i++)
		count += u->sources[i].list.count ? u->sources[i].list.count : 1;
	inputs = calloc(count + 1, sizeof(*inputs));
	if (!inputs)
		return -ENOMEM;
	for (int i = 0; i < u->source_count; i++) {
		const struct source_units *s = &u->sources[i];

		if (!s->list.count)
			inputs[n++].status = &s->status;
		for (uint32_t k = 0; k < s->list.count; k++) {
			inputs[n].status = &s->list.units[k]->status;
			inputs[n].fragment = s->list.units[k]->fragment.data;
			inputs[n].is_sealed = s->list.units[k]->fragment.is_sealed;
			inputs[n].memfd = s->list.units[k]->fragment.memfd;
			inputs[n++].first = s->list.units[k]->first && !known_before;
		}
	}
	*ret = inputs;
	return (int)count;
}

bool units_all_polled(const struct units *u)
{
	for (int i = 0; i < u->source_count; i++) {
		const struct source_status *status = &u->sources[i].status;

		if (!status->polls && status->state != SOURCE_DISABLED)
			return false;
	}
	return true;
}
