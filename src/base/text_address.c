/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IP addresses in all the forms that the storage stacks print, to and from InetAddress (RFC 4001).
 * Called by the sources in the reader processes. It never asks a name server: a text that is not
 * an address is an error.
 */
#include "base/text.h"

#include <arpa/inet.h>
#include <net/if.h>

enum { IPV4 = 1, IPV6 = 2, IPV6Z = 4 };

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

int text_zone_live(void *context, const char *name, uint32_t *ret)
{
	unsigned int number = if_nametoindex(name);

	(void)context;
	if (number == 0)
		return -ENODEV;
	*ret = number;
	return 0;
}

void text_address_from_ipv4(struct text_address *out, const void *octets)
{
	*out = (struct text_address){ .type = IPV4, .length = 4 };
	memcpy(out->octets, octets, 4);
}

void text_address_from_ipv6(struct text_address *out, const void *octets, uint32_t zone)
{
	const uint8_t *in = octets;

	if (memcmp(in, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		text_address_from_ipv4(out, in + sizeof(mapped_prefix));
		return;
	}
	*out = (struct text_address){ .type = zone ? IPV6Z : IPV6, .length = zone ? 20 : 16 };
	memcpy(out->octets, in, 16);
	for (int i = 0; zone && i < 4; i++)
		out->octets[16 + i] = (uint8_t)(zone >> (24 - 8 * i));
}

/* The zone behind '%': a number of an interface above 0, or a name for `lookup`. */
static int parse_zone(const char *zone, text_zone_fn *lookup, void *context, uint32_t *ret)
{
	size_t length = strlen(zone);

	/* No kernel accepts other names; a lookup may make a path of it. */
	if (length == 0 || length >= IFNAMSIZ || strpbrk(zone, "/: \t\n%[]") ||
		strcmp(zone, ".") == 0 || strcmp(zone, "..") == 0)
		return -EINVAL;
	if (strspn(zone, "0123456789") == length) {
		uint32_t number;
		int rc = text_to_u32(zone, INT32_MAX, &number);

		if (rc < 0 || number == 0)
			return -EINVAL;
		*ret = number;
		return 0;
	}
	return lookup(context, zone, ret) < 0 ? -ENODEV : 0;
}

static int parse_address(const char *text, size_t length, text_zone_fn *lookup, void *context,
	struct text_address *ret)
{
	char copy[INET6_ADDRSTRLEN + IFNAMSIZ + 2];
	uint8_t octets[16];
	uint32_t zone = 0;
	char *percent;
	int rc;

	if (length >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (length >= 2 && copy[0] == '[') {
		if (copy[length - 1] != ']' || !memchr(copy, ':', length))
			return -EINVAL;
		copy[length - 1] = '\0';
		memmove(copy, copy + 1, length - 1);
	}
	percent = strchr(copy, '%');
	if (percent)
		*percent++ = '\0';
	if (inet_pton(AF_INET, copy, octets) == 1) {
		if (percent)
			return -EINVAL;
		text_address_from_ipv4(ret, octets);
		return 0;
	}
	if (inet_pton(AF_INET6, copy, octets) != 1)
		return -EINVAL;
	if (percent) {
		if (memcmp(octets, mapped_prefix, sizeof(mapped_prefix)) == 0)
			return -EINVAL;
		rc = parse_zone(percent, lookup, context, &zone);
		if (rc < 0)
			return rc;
	}
	text_address_from_ipv6(ret, octets, zone);
	return 0;
}

int text_to_address_in(
	const char *text, text_zone_fn *lookup, void *context, struct text_address *ret)
{
	const char *start;
	size_t length = text_trim(text, &start);

	return parse_address(start, length, lookup, context, ret);
}

int text_to_address(const char *text, struct text_address *ret)
{
	return text_to_address_in(text, text_zone_live, NULL, ret);
}

int text_to_endpoint_in(const char *text, text_zone_fn *lookup, void *context,
	struct text_address *ret_address, uint16_t *ret_port)
{
	const char *start, *colon;
	size_t length = text_trim(text, &start), digits;
	struct text_address address;
	uint32_t port = 0;
	int rc;

	colon = memrchr(start, ':', length);
	if (!colon)
		return -EINVAL;
	/* Without brackets the last group of an IPv6 address cannot be told from a port. */
	if (start[0] != '[' && memchr(start, ':', length) != colon)
		return -EINVAL;
	digits = length - (size_t)(colon + 1 - start);
	if (digits == 0 || digits > 5 || strspn(colon + 1, "0123456789") < digits)
		return -EINVAL;
	for (size_t i = 1; i <= digits; i++)
		port = port * 10 + (uint32_t)(colon[i] - '0');
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	rc = parse_address(start, (size_t)(colon - start), lookup, context, &address);
	if (rc < 0)
		return rc;
	*ret_address = address;
	*ret_port = (uint16_t)port;
	return 0;
}

int text_to_endpoint(const char *text, struct text_address *ret_address, uint16_t *ret_port)
{
	return text_to_endpoint_in(text, text_zone_live, NULL, ret_address, ret_port);
}

char *text_from_address(char out[64], const struct text_address *address)
{
	const uint8_t *z = address->octets + 16;
	uint32_t zone;

	out[0] = '\0';
	if (address->type == IPV4 && address->length == 4) {
		inet_ntop(AF_INET, address->octets, out, 64);
	} else if (address->type == IPV6 && address->length == 16) {
		inet_ntop(AF_INET6, address->octets, out, 64);
	} else if (address->type == IPV6Z && address->length == 20) {
		size_t used;

		zone = (uint32_t)z[0] << 24 | (uint32_t)z[1] << 16 | (uint32_t)z[2] << 8 | z[3];
		inet_ntop(AF_INET6, address->octets, out, 64);
		used = strlen(out);
		snprintf(out + used, 64 - used, "%%%u", zone);
	}
	return out;
}

static bool is_ipv6_kind(const struct text_address *address)
{
	return (address->type == IPV6 && address->length == 16) ||
	       (address->type == IPV6Z && address->length == 20);
}

bool text_address_equal(const struct text_address *a, const struct text_address *b)
{
	if (a->type != b->type)
		return is_ipv6_kind(a) && is_ipv6_kind(b) && memcmp(a->octets, b->octets, 16) == 0;
	return a->length == b->length && a->length <= TEXT_ADDRESS_OCTETS &&
	       memcmp(a->octets, b->octets, a->length) == 0;
}

bool text_address_is_wildcard(const struct text_address *address)
{
	static const uint8_t zeros[16];

	if (address->type == IPV4 && address->length == 4)
		return memcmp(address->octets, zeros, 4) == 0;
	return is_ipv6_kind(address) && memcmp(address->octets, zeros, 16) == 0;
}
