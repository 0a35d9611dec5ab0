/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The options a client asked for (option 55), in its order, as one block of bytes. Clients of one kind ask
 * for one list, so the block is composed once per template version and list and then copied: a direct-mapped,
 * per-CPU, private cache.
 */
#ifndef BNG_DHCP4_BLOB_H
#define BNG_DHCP4_BLOB_H

#include "dhcp4_options.h"

enum {
	BNG_BLOBS = 64,
	BNG_BLOB_MAX = 448,   /* bytes of options in a block */
	BNG_BLOB_SLACK = 264, /* one TLV and one word, so that a copy may run over */
	BNG_BLOB_STEPS = 192, /* words copied and codes looked at while composing */
};

struct bng_blob {
	__u64 version; /* of the template, 0: empty */
	__u32 template_index;
	__u16 prl_length;
	__u16 length; /* of the options, the end option not counted */
	__u64 prl[BNG_PRL_MAX / 8];
	__u8 bytes[BNG_BLOB_MAX + BNG_BLOB_SLACK];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BNG_BLOBS);
	__type(key, __u32);
	__type(value, struct bng_blob);
} dhcp_blobs SEC(".maps");

static __always_inline int list_holds(const struct bng_scratch *s, __u64 code)
{
	const __u64 ones = 0x0101010101010101ULL;
	__u64 found = 0;

	/* A byte is zero where the code stands. */
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_PRL_MAX / 8; i++) {
		__u64 word = s->prl[i] ^ (ones * code);

		found |= (word - ones) & ~word & (ones << 7);
	}
	return found != 0;
}

/* The next option's slot (0: the template lacks it) after `taken` codes. 0: no more. Without option 55
 * everything is sent. */
static __always_inline int next_slot(
	struct bng_scratch *s, const struct bng_dhcp_template *template, __u32 taken, __u32 *ret_slot)
{
	if (!(s->request.seen & BNG_SEEN_PRL)) {
		*ret_slot = taken + 1;
		return taken < template->option_count && taken < BNG_MAX_TEMPLATE_OPTIONS;
	}
	if (taken >= s->request.prl_length)
		return 0;
	__u32 code = ((const __u8 *)s->prl)[forget(s, taken) & (BNG_PRL_MAX - 1)];

	*ret_slot = template->slot_of_code[code];
	return 1;
}

/* Ends composing when it returns 1. Each step copies one word or moves to the next code. */
static long compose_step(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)index;
	(void)context;
	if (!s)
		return 1;
	struct bng_compose *c = &s->compose;
	struct bng_blob *blob = bpf_map_lookup_elem(&dhcp_blobs, &s->answer.blob);
	struct bng_dhcp_template *template = bpf_map_lookup_elem(&dhcp_templates, &s->answer.template_index);

	if (!blob || !template)
		return 1;
	if (c->left) {
		__u32 step = c->left < 8 ? c->left : 8;

		BNG_STORE(__u64, blob->bytes + (c->out & 511),
			BNG_LOAD(__u64, template->bytes + (c->from & 511)));
		c->out += step;
		c->from += step;
		c->left -= step;
		return 0;
	}
	__u32 slot = 0;

	if (!next_slot(s, template, c->taken, &slot)) {
		c->done = 1;
		return 1;
	}
	/* RFC 2132 3.3: a subnet mask stands before the router. */
	__u32 mask_slot = template->slot_of_code[1];

	if (slot && slot == template->slot_of_code[3] && mask_slot &&
		!(c->emitted & (1ULL << (mask_slot & 31))) && list_holds(s, 1))
		slot = mask_slot;
	else
		c->taken += 1;
	if (!slot || slot > BNG_MAX_TEMPLATE_OPTIONS || (c->emitted & (1ULL << (slot & 31))))
		return 0;
	c->emitted |= 1ULL << (slot & 31);
	slot = forget(s, slot - 1);
	if (slot >= BNG_MAX_TEMPLATE_OPTIONS)
		return 1;
	c->from = template->options[slot].offset;
	c->left = template->options[slot].length + 2u;
	return c->out + c->left > BNG_BLOB_MAX;
}

/*
 * Fills the cache entry s->answer.blob. 0, or BNG_PUNT_REASON_dhcp_options_unusual: the template is being
 * changed, or the list asks for more than a block holds.
 */
__noinline int compose_blob(__u32 version_low)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_blob *blob = bpf_map_lookup_elem(&dhcp_blobs, &s->answer.blob);
	struct bng_dhcp_template *template = bpf_map_lookup_elem(&dhcp_templates, &s->answer.template_index);

	if (!blob || !template)
		return BNG_DROP_internal_lookup;
	__u64 version = *(volatile __u64 *)&template->version;
	struct bng_compose *c = &s->compose;

	if ((__u32)version != version_low || !version)
		return BNG_PUNT_REASON_dhcp_options_unusual;
	blob->version = 0;
	c->emitted = 0;
	c->taken = 0;
	c->out = 0;
	c->left = 0;
	c->done = 0;
	(void)bpf_loop(BNG_BLOB_STEPS, compose_step, NULL, 0);
	__u32 out = forget(s, c->out);

	if (!c->done || out > BNG_BLOB_MAX)
		return BNG_PUNT_REASON_dhcp_options_unusual;
	__u8 *end = blob->bytes + out;

	end[0] = BNG_OPTION_END;
#pragma clang loop unroll(full)
	for (int i = 0; i < 8; i++)
		BNG_STORE(__u64, end + 1 + 8 * i, 0);
	blob->template_index = s->answer.template_index;
	blob->prl_length = (__u16)s->request.prl_length;
	blob->length = (__u16)out;
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_PRL_MAX / 8; i++)
		blob->prl[i] = s->prl[i];
	if (*(volatile __u64 *)&template->version != version)
		return BNG_PUNT_REASON_dhcp_options_unusual;
	blob->version = version;
	return 0;
}

/* The block for this request's list, found or composed; its length in s->answer. 0 or a reason. */
static __always_inline __u32 choose_blob(struct bng_scratch *s, const struct bng_dhcp_template *template)
{
	__u32 length = s->request.prl_length;
	__u64 difference = 0;

	if (length > BNG_PRL_MAX)
		return BNG_PUNT_REASON_dhcp_options_unusual;
	__u64 hash = bng_hash_word(s->prl_hash, s->answer.template_index);

	s->answer.blob = (__u32)(hash >> 40) & (BNG_BLOBS - 1);
	struct bng_blob *blob = bpf_map_lookup_elem(&dhcp_blobs, &s->answer.blob);

	if (!blob)
		return BNG_DROP_internal_lookup;
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < BNG_PRL_MAX / 8; i++)
		difference |= blob->prl[i] ^ s->prl[i];
	difference |= blob->version ^ template->version;
	difference |= blob->template_index ^ s->answer.template_index;
	difference |= blob->prl_length ^ length;
	if (difference) {
		__u32 refused = (__u32)compose_blob((__u32) template->version);

		if (refused)
			return refused;
	}
	s->answer.blob_length = blob->length;
	return 0;
}

#endif
